// One TCP stream after another between two hosts, by iperf3, whose server stays. The value is what the receiver got, a first second left out.

using System.Globalization;
using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Generators;

/// <summary>A server of iperf3; killed on disposal.</summary>
internal sealed class Iperf : IDisposable
{
    private const string ListeningOnIperfPort = ":1451 "; // 5201 in the kernel's table of TCP sockets
    private const int Warmup = 1;
    private readonly Host _client;
    private readonly Host _server;
    private readonly BackgroundProcess _process;

    public Iperf(Host client, Host server)
    {
        (_client, _server) = (client, server);
        _process = server.Start("iperf3", ["-s"]);
        Wait.Until("iperf3 listens", 5, () => IsListening(_process));
    }

    /// <summary>Over IPv4 between inner addresses.</summary>
    public double GigabitsPerSecond(int seconds)
    {
        string report = _client.Exec(TimeSpan.FromSeconds(Warmup + seconds + 20), "iperf3", "-c", $"{_server.Inner(v6: false)}",
            "-t", seconds.ToString(CultureInfo.InvariantCulture), "-O", Warmup.ToString(CultureInfo.InvariantCulture), "-J");
        return Received(report);
    }

    /// <summary>What the receiver got, all streams together, Gbit/s.</summary>
    public static double Received(string report) => ((double?)JsonNode.Parse(report)?["end"]?["sum_received"]?["bits_per_second"]
        ?? throw new BenchException($"iperf3 reports no sum: {report}")) / 1e9;

    /// <summary>A server that has been started can be connected to.</summary>
    public static bool IsListening(BackgroundProcess server)
    {
        server.MustRun();
        return File.ReadAllText($"/proc/{server.Id}/net/tcp6").Contains(ListeningOnIperfPort, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();
}
