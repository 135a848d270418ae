// A real etcd on a host of the lab, alone or as a member of a cluster, its data in a folder of the test. It is killed, wiped, restored and compacted as
// an operator or a fault would.

using System.Net;
using System.Text.Json.Nodes;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Controllers;

/// <summary>One member of an etcd cluster.</summary>
internal sealed class EtcdMember : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-etcd-").FullName;
    private readonly LabHost _host;
    private readonly string[] _cluster;
    private readonly IReadOnlyList<string> _options;
    private readonly IReadOnlyList<string> _clientOptions = [];
    private BackgroundProcess? _process;
    private long _compacted;

    /// <summary>Starts a cluster of its own on <paramref name="host"/>.</summary>
    /// <param name="host">Where it runs.</param>
    /// <param name="options">Further words of its command line.</param>
    /// <param name="clientOptions">Words of etcdctl that every call gets, such as certificates.</param>
    public EtcdMember(LabHost host, IReadOnlyList<string> options, params IReadOnlyList<string> clientOptions)
        : this(host, [$"m{host.Number}={PeersOf(host)}"], options)
    {
        _clientOptions = clientOptions;
        Start();
        WaitUntilHealthy();
    }

    private EtcdMember(LabHost host, string[] cluster, IReadOnlyList<string> options)
    {
        Requirements.Need("etcd", "etcdctl");
        (_host, _cluster, _options) = (host, cluster, options);
    }

    /// <summary>Where clients find it.</summary>
    public string Endpoint => $"{Scheme}://{new IPEndPoint(_host.Underlay, 2379)}";

    /// <summary>What it wrote.</summary>
    public string Log => _process?.Text ?? "";

    private string Scheme => _options.Contains("--client-cert-auth") ? "https" : "http";

    private string Data => Path.Combine(_folder, "data");

    /// <summary>Starts a cluster with a member on each host.</summary>
    public static EtcdMember[] Cluster(params IReadOnlyList<LabHost> hosts)
    {
        string[] cluster = [.. hosts.Select(host => $"m{host.Number}={PeersOf(host)}")];
        EtcdMember[] members = [.. hosts.Select(host => new EtcdMember(host, cluster, []))];
        foreach (EtcdMember member in members)
            member.Start();
        foreach (EtcdMember member in members)
            member.WaitUntilHealthy();
        return members;
    }

    /// <summary>Starts it with the data it has.</summary>
    public void Start()
    {
        string name = $"m{_host.Number}";
        string peers = PeersOf(_host);
        _process = _host.Namespace.Start("etcd",
        [
            "--name", name, "--data-dir", Data, "--listen-client-urls", Endpoint, "--advertise-client-urls", Endpoint, "--listen-peer-urls", peers,
            "--initial-advertise-peer-urls", peers, "--initial-cluster", string.Join(',', _cluster), "--heartbeat-interval", "50",
            "--election-timeout", "500", "--logger", "zap", "--log-level", "warn", .. _options,
        ]);
    }

    /// <summary>Waits until it answers.</summary>
    public void WaitUntilHealthy() =>
        Wait.Until("etcd answers", () => TryCtl("endpoint", "health").ExitCode == 0, 15, () => Log);

    /// <summary>Starts it and waits until it answers.</summary>
    public void Restart()
    {
        Start();
        WaitUntilHealthy();
    }

    /// <summary>Ends it at once, as a power failure would.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Deletes what a killed one has stored.</summary>
    public void Wipe() => Directory.Delete(Data, recursive: true);

    /// <summary>Saves all of it to a file, for <see cref="Restore"/>.</summary>
    public string Save()
    {
        string file = Path.Combine(_folder, "snapshot.db");
        File.Delete(file);
        Ctl("snapshot", "save", file);
        return file;
    }

    /// <summary>Puts a saved state in the place of a killed one's: an older revision, as after a disaster.</summary>
    public void Restore(string file)
    {
        Wipe();
        Command.Run("etcdctl", "snapshot", "restore", file, "--name", $"m{_host.Number}", "--data-dir", Data, "--initial-cluster", _cluster[0],
            "--initial-advertise-peer-urls", PeersOf(_host)).OrFail();
    }

    /// <summary>Runs etcdctl against it; must succeed.</summary>
    public string Ctl(params IEnumerable<string> words) => TryCtl(words).OrFail().Output;

    /// <summary>The keys under a prefix.</summary>
    public IReadOnlyList<string> Keys(string prefix) =>
        Ctl("get", prefix, "--prefix", "--keys-only").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The value of a key; null when it isn't there.</summary>
    public JsonNode? Value(string key) => Ctl("get", key, "--print-value-only") is { Length: > 0 } value ? JsonNode.Parse(value) : null;

    /// <summary>Forgets all history up to now.</summary>
    public void Compact()
    {
        long revision = Revision();
        if (revision > _compacted)
            Ctl("compact", $"{revision}");
        _compacted = revision;
    }

    /// <summary>Its revision.</summary>
    public long Revision() => (long)JsonNode.Parse(Ctl("get", "none", "--write-out", "json"))!["header"]!["revision"]!;

    /// <summary>It is its cluster's leader.</summary>
    public bool IsLeader()
    {
        JsonNode status = JsonNode.Parse(Ctl("endpoint", "status", "--write-out", "json"))![0]!["Status"]!;
        return (ulong)status["leader"]! == (ulong)status["header"]!["member_id"]!;
    }

    /// <summary>Kills it and deletes its folder.</summary>
    public void Dispose()
    {
        Kill();
        Directory.Delete(_folder, recursive: true);
    }

    private static string PeersOf(LabHost host) => $"http://{new IPEndPoint(host.Underlay, 2380)}";

    private CommandResult TryCtl(params IEnumerable<string> words) =>
        _host.Namespace.Try(Command.UsualLimit, "etcdctl", ["--endpoints", Endpoint, "--dial-timeout", "1s", "--command-timeout", "5s", .. _clientOptions, .. words]);
}
