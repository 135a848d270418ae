// Bulk TCP from host 1 to host 2 by iperf3, which leaves out the first second. The value is what the receiver got, all streams together. Client,
// server, both ends of the tunnel and both TCP stacks share the machine's cores, as they do on nobody's two machines: compare, don't quote.

using System.Globalization;
using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>iperf3 over the segment.</summary>
internal sealed class TcpScenario(string name, int streams, UnderlayPlan underlay) : Scenario(name, "Gbit/s")
{
    private const string ListeningOnIperfPort = ":1451 "; // 5201 in the kernel's table of TCP sockets

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
        Wait.Until("iperf3 listens", 5, () => IsListening(server));
        double all = timing.Warmup + timing.Seconds;
        string report = topology.One.Exec(TimeSpan.FromSeconds(all + 20), "iperf3", "-c", $"{topology.Two.Inner(underlay.IsV6)}",
            "-t", Whole(timing.Seconds), "-O", Whole(timing.Warmup), "-P", $"{streams}", "-J");
        double bits = (double?)JsonNode.Parse(report)?["end"]?["sum_received"]?["bits_per_second"]
            ?? throw new BenchException($"iperf3 reports no sum: {report}");
        return new Sample(bits / 1e9);
    }

    private static string Whole(double seconds) => Math.Max(1, (int)Math.Round(seconds)).ToString(CultureInfo.InvariantCulture);

    private static bool IsListening(BackgroundProcess server)
    {
        server.MustRun();
        return File.ReadAllText($"/proc/{server.Id}/net/tcp6").Contains(ListeningOnIperfPort, StringComparison.Ordinal);
    }
}
