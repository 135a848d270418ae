// A VTEP whose only domain is a controller's, configured as an operator would, and what it says of itself: the control API, asked over its socket
// as `vtep show` does, but by a client that stays connected. Stations are frames: whoever says something on the TAP is there.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>`vtep run` on a host; killed on disposal.</summary>
internal sealed class ControlledVtep : IDisposable
{
    /// <summary>Under which all VTEPs of a lab meet.</summary>
    public const string Prefix = "/vtep/v1/lab";

    private const string Tap = "tap-bench";
    private const int TapQueue = 10_000;
    private const double StartLimit = 40;
    private const double AcquaintanceLimit = 20;
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(60); // a busy machine is slow, not broken
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-bench-").FullName;
    private readonly BackgroundProcess _process;
    private readonly HttpClient _http;

    /// <summary>Starts it and returns at once.</summary>
    public ControlledVtep(Host host, EtcdStore store, string mode = "watch", string prefix = Prefix)
    {
        Host = host;
        string socket = Path.Combine(_folder, "vtep.sock");
        string file = Path.Combine(_folder, "vtep.json");
        File.WriteAllText(file, Configuration(host, store, mode, prefix, socket).ToJsonString());
        _http = UnixHttp.Client(socket, s_answerLimit);
        Started = Stopwatch.GetTimestamp();
        _process = host.Start(Entrants.VtepProgram, ["run", "--config", file]);
    }

    public Host Host { get; }

    /// <summary>When it was started.</summary>
    public long Started { get; }

    /// <summary>Its VTEP as the FDBs of others name it.</summary>
    public string Vtep => $"{Host.Underlay(v6: false)}:{Segment.Port}";

    /// <summary>VTEPs on hosts 1 to 3, all of which know each other and have published what they have.</summary>
    public static ControlledVtep[] StartThree(ControlLab lab, string mode = "watch")
    {
        ControlledVtep[] vteps = [.. lab.Hosts.Take(3).Select(host => new ControlledVtep(host, lab.Store, mode))];
        foreach (ControlledVtep vtep in vteps)
            Wait.Until($"the VTEP on host {vtep.Host.Number} floods to the others", StartLimit + AcquaintanceLimit, () => vtep.FloodsTo(vteps.Length - 1));
        return vteps;
    }

    /// <summary>Opens a packet socket on its TAP.</summary>
    public StationSocket OpenSocket()
    {
        Host.Ip($"link set {Tap} txqueuelen {TapQueue}");
        return new StationSocket(Host, Tap);
    }

    /// <summary>Waits until it answers.</summary>
    public void AwaitAnswer() => Wait.Until($"the VTEP on host {Host.Number} answers", StartLimit, () => TryGet("/v1/status") is not null);

    /// <summary>The answer to a question; null when nobody answers yet. Throws when the process has ended.</summary>
    public JsonElement? TryGet(string path)
    {
        try
        {
            byte[] answer = _http.GetByteArrayAsync(new Uri(path, UriKind.Relative)).GetAwaiter().GetResult();
            using JsonDocument document = JsonDocument.Parse(answer);
            return document.RootElement.Clone();
        }
        catch (HttpRequestException)
        {
            _process.MustRun();
            return null;
        }
        catch (TaskCanceledException e)
        {
            throw new BenchException($"The VTEP on host {Host.Number} doesn't answer {path} within {s_answerLimit.TotalSeconds:0} s.", e);
        }
    }

    /// <summary>The answer to a question.</summary>
    public JsonElement Get(string path) => TryGet(path) ?? throw new BenchException($"The VTEP on host {Host.Number} doesn't answer {path}.");

    /// <summary>Its controller as it shows it.</summary>
    public JsonElement Controller() => Get("/v1/status").GetProperty("controllers")[0];

    /// <summary>Entries of kind <c>directory</c> in its FDB.</summary>
    public IEnumerable<(string Mac, string Vtep)> Remote() => Get($"/v1/fdb?vni={Segment.Vni}").EnumerateArray()
        .Where(entry => entry.GetProperty("kind").GetString() == "directory")
        .Select(entry => (entry.GetProperty("mac").GetString()!, entry.GetProperty("vtep").GetString()!));

    /// <summary>MiB of a line of /proc/PID/status: <c>VmHWM</c>, <c>VmRSS</c>.</summary>
    public double Memory(string line)
    {
        string text = File.ReadLines($"/proc/{_process.Id}/status").First(text => text.StartsWith($"{line}:", StringComparison.Ordinal));
        return double.Parse(text.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Asks it to stop, as an operator does, and waits until it has.</summary>
    public void Stop() => _process.Stop(TimeSpan.FromSeconds(20));

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private bool FloodsTo(int count) =>
        TryGet("/v1/domains") is { } domains && domains[0].GetProperty("floodList").GetArrayLength() == count;

    private static JsonObject Configuration(Host host, EtcdStore store, string mode, string prefix, string socket)
    {
        var etcd = new JsonObject
        {
            ["endpoints"] = new JsonArray(store.Endpoint),
            ["prefix"] = prefix,
            ["node"] = $"h{host.Number}",
            ["leaseSeconds"] = 60,
            ["cache"] = null,
        };
        var domain = new JsonObject
        {
            ["name"] = "bench",
            ["vni"] = Segment.Vni,
            ["ports"] = new JsonArray(new JsonObject { ["tap"] = Tap, ["addresses"] = new JsonArray($"{host.Inner(v6: false)}/24") }),
            ["discovery"] = new JsonObject { ["controller"] = new JsonObject { ["name"] = "main", ["mode"] = mode } },
            ["fdbLimit"] = 200_000,
            ["ageing"] = 0,
        };
        return new JsonObject
        {
            ["control"] = new JsonObject { ["socket"] = socket },
            ["underlay"] = new JsonObject { ["local"] = $"{host.Underlay(v6: false)}", ["port"] = Segment.Port },
            ["controllers"] = new JsonObject { ["main"] = new JsonObject { ["etcd"] = etcd } },
            ["bridgeDomains"] = new JsonArray(domain),
        };
    }
}
