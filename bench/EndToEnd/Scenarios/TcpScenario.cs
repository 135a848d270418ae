// Bulk TCP from host 1 to host 2 by iperf3, which leaves out the first second. The value is what the receiver got, all streams together. Client,
// server, both ends of the tunnel and both TCP stacks share the machine's cores, as they do on nobody's two machines: compare, don't quote.

using System.Globalization;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>iperf3 over the segment.</summary>
internal sealed class TcpScenario(string name, int streams, UnderlayPlan underlay) : Scenario(name, "Gbit/s")
{
    /// <inheritdoc/>
    public override UnderlayPlan Underlay => underlay;

    /// <inheritdoc/>
    public override string Note => $"{streams} TCP stream{(streams == 1 ? "" : "s")} over IPv{(underlay.IsV6 ? 6 : 4)}, "
        + $"underlay MTU {underlay.Mtu}{(underlay.HasOffloads ? "" : ", underlay tso, gso and gro off")}.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        using var topology = new Topology(underlay);
        (Endpoint one, Endpoint two) = JoinBoth(topology, contender);
        using Endpoint endOne = one, endTwo = two;
        BackgroundProcess server = topology.Two.Start("iperf3", ["-s", "-1"]);
        Wait.Until("iperf3 listens", 5, () => Iperf.IsListening(server));
        double all = timing.Warmup + timing.Seconds;
        string report = topology.One.Exec(TimeSpan.FromSeconds(all + 20), "iperf3", "-c", $"{topology.Two.Inner(underlay.IsV6)}",
            "-t", Whole(timing.Seconds), "-O", Whole(timing.Warmup), "-P", $"{streams}", "-J");
        return new Sample(Iperf.Received(report));
    }

    private static string Whole(double seconds) => Math.Max(1, (int)Math.Round(seconds)).ToString(CultureInfo.InvariantCulture);
}
