// A VTEP as an operator has one: ten bridge domains with a port and ten peers each, of which only the first domain's first peer is there. It plays
// systemd to its VTEP: the socket that NOTIFY_SOCKET names is ours, and tells when it is READY (sd_notify(3)).

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>`vtep run` on a host; killed on disposal.</summary>
internal sealed class OperatedVtep : IDisposable
{
    private const int Domains = 10;
    private const int PeersEach = 10;
    private const int FirstStranger = 10; // 198.18.1.10 and up: addresses nobody has
    private static readonly TimeSpan s_readyLimit = TimeSpan.FromSeconds(30);
    private static readonly IPEndPoint s_dashboard = new(IPAddress.Loopback, 9478);
    private readonly Host _host;
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-bench-").FullName;
    private readonly Socket _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly BackgroundProcess _process;
    private readonly long _started;

    /// <summary>Starts it and returns at once.</summary>
    /// <param name="program">Which build.</param>
    /// <param name="host">Where.</param>
    /// <param name="peer">Who is really there.</param>
    /// <param name="dashboard">It serves its dashboard.</param>
    public OperatedVtep(string program, Host host, Host peer, bool dashboard = false)
    {
        _host = host;
        SocketPath = Path.Combine(_folder, "vtep.sock");
        string file = Path.Combine(_folder, "vtep.json"), notify = Path.Combine(_folder, "notify");
        File.WriteAllText(file, Configuration(host, peer, dashboard).ToJsonString());
        _notify.Bind(new UnixDomainSocketEndPoint(notify));
        _notify.ReceiveTimeout = (int)s_readyLimit.TotalMilliseconds;
        _started = Stopwatch.GetTimestamp();
        _process = host.Start(program, ["run", "--config", file], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = notify });
    }

    /// <summary>Its control socket.</summary>
    public string SocketPath { get; }

    /// <summary>A client of its control socket that stays connected.</summary>
    public HttpClient Client() => UnixHttp.Client(SocketPath, TimeSpan.FromSeconds(10));

    /// <summary>A client of its dashboard that stays connected.</summary>
    public HttpClient DashboardClient()
    {
        var handler = new SocketsHttpHandler { ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(_host.Inside(Connect), ownsSocket: true)), UseProxy = false };
        return new HttpClient(handler) { BaseAddress = new Uri($"http://{s_dashboard}"), Timeout = TimeSpan.FromSeconds(10) };
    }

    /// <summary>Waits for READY=1; milliseconds since the start, the time of `ip netns exec` included.</summary>
    public double AwaitReady()
    {
        byte[] datagram = new byte[4096];
        try
        {
            while (!Encoding.UTF8.GetString(datagram, 0, _notify.Receive(datagram)).Split('\n').Contains("READY=1"))
                _process.MustRun();
            return Stopwatch.GetElapsedTime(_started).TotalMilliseconds;
        }
        catch (SocketException e)
        {
            _process.MustRun();
            throw new BenchException($"The VTEP isn't ready within {s_readyLimit.TotalSeconds:0} s: {e.Message}.", e);
        }
    }

    /// <summary>Seconds of processor time it has taken, all threads together (proc_pid_stat(5), clock ticks of 10 ms).</summary>
    public double ProcessorSeconds()
    {
        const int UserTime = 11; // counted after the name, which may hold blanks
        string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[UserTime], CultureInfo.InvariantCulture) + long.Parse(fields[UserTime + 1], CultureInfo.InvariantCulture)) / 100.0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        _notify.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(s_dashboard);
        return socket;
    }

    private JsonObject Control(bool dashboard) =>
        dashboard ? new() { ["socket"] = SocketPath, ["http"] = $"{s_dashboard}", ["dashboard"] = true } : new() { ["socket"] = SocketPath };

    private JsonObject Configuration(Host host, Host peer, bool dashboard) => new()
    {
        ["control"] = Control(dashboard),
        ["underlay"] = new JsonObject { ["local"] = $"{host.Underlay(v6: false)}", ["port"] = Segment.Port },
        ["bridgeDomains"] = new JsonArray([.. Enumerable.Range(0, Domains).Select(i => Domain(i, host, peer))]),
    };

    private static JsonObject Domain(int index, Host host, Host peer)
    {
        var port = new JsonObject { ["tap"] = $"tap-{index}" };
        if (index == 0)
            port["addresses"] = new JsonArray($"{host.Inner(v6: false)}/24");
        IEnumerable<string> strangers = Enumerable.Range(FirstStranger + index * PeersEach, PeersEach - 1).Select(last => $"198.18.1.{last}");
        IPAddress there = peer.Underlay(v6: false);
        return new JsonObject
        {
            ["name"] = $"domain-{index}",
            ["vni"] = Segment.Vni + index,
            ["ports"] = new JsonArray(port),
            ["discovery"] = new JsonObject
            {
                ["static"] = new JsonObject { ["peers"] = new JsonArray([.. strangers.Prepend($"{there}").Select(text => JsonValue.Create(text))]) },
            },
        };
    }
}
