// One request, one response, over and over: the way there and back through the segment, with every wake-up on it.

using System.Globalization;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Round trip of a request.</summary>
internal sealed class LatencyScenario() : Scenario("rr-latency", "us")
{
    /// <inheritdoc/>
    public override string Note => "Median time of a UDP request of 64 bytes and its response; p99 beside it. Less is better, also in the ratios.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        using var topology = new Topology(Underlay);
        (Endpoint one, Endpoint two) = JoinBoth(topology, contender);
        using Endpoint endOne = one, endTwo = two;
        string server = $"{topology.Two.Inner(v6: false)}";
        topology.Two.StartSelf("echo", "--address", server);
        string answer = topology.One.Exec(TimeSpan.FromSeconds(timing.Warmup + timing.Seconds + 20), Environment.ProcessPath!, "ask", "--address", server,
            "--warmup", Text(timing.Warmup), "--seconds", Text(timing.Seconds));
        double[] values = [.. answer.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
        return new Sample(values[0], values[1]);
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
