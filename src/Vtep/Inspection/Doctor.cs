// vtep doctor: which configuration it is about, what the host, the daemon and the other VTEPs say, in this order. Without a configuration
// what doesn't hang on one is still looked at.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Inspection;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Examines this host.</summary>
/// <param name="file">The configuration file; null: the running daemon's, or else the usual one.</param>
/// <param name="socket">The daemon's control socket; null: the configuration's, or else the usual one.</param>
internal sealed class Doctor(string? file, string? socket)
{
    /// <summary>Where the configuration is when nothing else is said.</summary>
    public const string UsualFile = "/etc/vtep/vtep.jsonc";

    private static readonly string[] s_withoutConfiguration = ["module", "buffers", "offloads", "clock", "conntrack"];

    /// <summary>All findings.</summary>
    public async Task<IReadOnlyList<HostFinding>> ExamineAsync()
    {
        ConfigResult? named = file is null ? null : ConfigFile.Load(file);
        DaemonView daemon = await DaemonView.AskAsync(socket ?? named?.Config?.ControlSocket ?? DaemonConfig.DefaultControlSocket);
        (string name, ConfigResult result) = named is not null ? (file!, named)
            : daemon.Configuration is { } text ? ("the running daemon's configuration", ConfigFile.Parse("vtep.jsonc", text))
            : (UsualFile, ConfigFile.Load(UsualFile));
        var findings = new List<HostFinding>(Configuration(name, result));
        try
        {
            findings.AddRange(result.Config is { } config ? await ExamineAsync(config, daemon) : WithoutConfiguration());
        }
        catch (VtepException e)
        {
            findings.Add(new HostFinding("host", FindingSeverity.Error, null, null, e.Message.TrimEnd('.'), null));
        }

        return [.. findings, .. result.Config is null ? DaemonRules.Judge(daemon) : []];
    }

    private static async Task<IReadOnlyList<HostFinding>> ExamineAsync(DaemonConfig config, DaemonView daemon)
    {
        HostView host = HostView.See(config, daemon, daemon.Peers.Select(peer => peer.Endpoint.Address));
        List<PeerState> peers = [.. Peers(config.Vtep, host)];
        IReadOnlyList<PeerState> tried = host.Facts.LocalPresent is { } local ? await new PeerProbe(local).TryAsync(PeerProbe.Sample(peers)) : [];
        return [.. host.Judge(), .. DaemonRules.Judge(daemon), .. PeerRules.Judge(tried, peers.Count)];
    }

    private static IEnumerable<HostFinding> WithoutConfiguration()
    {
        var nothing = new VtepConfig { Underlay = new UnderlayConfig() };
        return HostInspection.Judge(nothing, HostInspection.Gather(nothing)).Where(finding => s_withoutConfiguration.Contains(finding.Id));
    }

    private static IEnumerable<HostFinding> Configuration(string name, ConfigResult result)
    {
        if (result.Problems.Count == 0)
            return [HostFinding.Ok("config", $"{name} is valid")];
        return result.Problems.Select(problem => new HostFinding(
            "config", problem.Severity == ConfigSeverity.Error ? FindingSeverity.Error : FindingSeverity.Warning, null, problem.Path, $"{problem}", null));
    }

    // Static peers and those the daemon knows besides, as long as there is a way to them.
    private static IEnumerable<PeerState> Peers(VtepConfig config, HostView host)
    {
        IEnumerable<VtepEndpoint> named = config.BridgeDomains.Select(domain => domain.Discovery).OfType<StaticDiscovery>().SelectMany(discovery => discovery.Peers);
        Dictionary<VtepEndpoint, long?> idle = host.Daemon.Peers.ToDictionary(peer => peer.Endpoint, peer => peer.IdleSeconds);
        return named.Concat(idle.Keys).Distinct().Where(peer => host.Facts.PathMtu(peer.Address) > 0)
            .Select(peer => new PeerState(peer, host.Facts.PathMtu(peer.Address)) { IdleSeconds = idle.GetValueOrDefault(peer) });
    }
}
