// A configuration, this host and the daemon on it, looked at together: what the rules of the host say (VtepDataPlane.Linux/Inspection),
// and what only the program knows of, its control socket and the files that its controllers name.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Linux.Inspection;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>A host seen for a configuration.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Facts">What was seen.</param>
/// <param name="Daemon">Who is behind the configuration's control socket.</param>
internal sealed record HostView(DaemonConfig Config, HostFacts Facts, DaemonView Daemon)
{
    /// <summary>Looks.</summary>
    /// <exception cref="VtepException">The kernel doesn't tell its links, addresses or routes.</exception>
    public static HostView See(DaemonConfig config, DaemonView daemon, params IEnumerable<InetAddress> remotes)
    {
        HostFacts facts = HostInspection.Gather(config.Vtep, remotes);
        bool isOurs = daemon.Status is { } status && status.Port == config.Vtep.Underlay.Port
            && (config.Vtep.Underlay.Local is null || status.Local == config.Vtep.Underlay.Local);
        return new HostView(config, facts with
        {
            Running = isOurs ? new RunningVtep(daemon.Ports.Select(port => port.Name).ToHashSet()) : null,
            MayBeRunning = daemon.Presence == DaemonPresence.Denied,
        }, daemon);
    }

    /// <summary>All findings.</summary>
    public IReadOnlyList<HostFinding> Judge() =>
    [
        .. HostInspection.Judge(Config.Vtep, Facts),
        .. OrOk("socket", SocketRules.Judge(this), $"{Config.ControlSocket} can be used"),
        .. OrOk("secrets", ControllerFileRules.Judge(Config.Sources, mayRead: Facts.Running is null), "every file that controllers name can be read"),
    ];

    private static List<HostFinding> OrOk(string id, IEnumerable<HostFinding> wrong, string right)
    {
        List<HostFinding> all = [.. wrong];
        return all.Count > 0 ? all : [HostFinding.Ok(id, right)];
    }
}
