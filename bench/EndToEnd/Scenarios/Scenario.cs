// One question, asked of every contender in turn.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>How long a measurement takes.</summary>
/// <param name="Warmup">Seconds of traffic before it.</param>
/// <param name="Seconds">Seconds it lasts.</param>
internal readonly record struct Timing(double Warmup, double Seconds);

/// <summary>One measured value.</summary>
/// <param name="Value">In the scenario's unit.</param>
/// <param name="P99">The 99th percentile where the value is a median of many.</param>
internal readonly record struct Sample(double Value, double? P99 = null);

/// <summary>A scenario.</summary>
internal abstract class Scenario(string name, string unit)
{
    private const double ReachLimit = 20;

    /// <summary>As in the report.</summary>
    public string Name => name;

    /// <summary>Of its values.</summary>
    public string Unit => unit;

    /// <summary>What a reader must know.</summary>
    public abstract string Note { get; }

    /// <summary>What it asks of contenders.</summary>
    public virtual Needs Needs => Needs.None;

    /// <summary>The cable.</summary>
    public virtual UnderlayPlan Underlay => new();

    /// <summary>Measures a contender once, from nothing to nothing.</summary>
    public abstract Sample Measure(Contender contender, Timing timing);

    /// <summary>Both hosts in one segment, and packets cross.</summary>
    protected static (Endpoint One, Endpoint Two) JoinBoth(Topology topology, Contender contender)
    {
        Endpoint one = contender.Join(EndOf(topology, topology.One, topology.Two));
        Endpoint two = contender.Join(EndOf(topology, topology.Two, topology.One));
        Wait.Until($"packets cross the segment of {contender.Name}", ReachLimit, () => topology.One.Reaches(topology.Two.Inner(topology.Plan.IsV6)));
        return (one, two);
    }

    private static Segment EndOf(Topology topology, Host host, Host peer) =>
        new(host, [peer.Underlay(topology.Plan.IsV6)], topology.Plan, HasFixedStation: false);
}
