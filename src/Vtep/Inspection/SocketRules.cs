// Whether the control socket can be made where the configuration wants it.

using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Rules of the control socket.</summary>
internal static class SocketRules
{
    private const string Element = "$.control.socket";

    public static IEnumerable<HostFinding> Judge(HostView host) =>
        host.Facts.Running is not null ? [] : Judge(host.Config.ControlSocket, host.Daemon.Presence, HostInspection.MayWriteInto);

    /// <summary>The rule, without a machine but for which directories are there.</summary>
    internal static IEnumerable<HostFinding> Judge(string socket, DaemonPresence daemon, Func<string, bool> mayWriteInto)
    {
        const string Remedy = "give control.socket a path this user may write to";
        string directory = Existing(Path.GetDirectoryName(socket)!);
        if (daemon is DaemonPresence.Present or DaemonPresence.Silent)
            yield return Finding(FindingSeverity.Error, socket, $"another vtep is listening on {socket}", "stop it, or give control.socket another path");
        else if (daemon == DaemonPresence.Denied)
            yield return Finding(FindingSeverity.Warning, socket, $"somebody is listening on {socket} whom this user may not ask", "use root, or a member of group vtep");
        else if (Directory.Exists(socket))
            yield return Finding(FindingSeverity.Error, socket, $"{socket} is a directory", "give control.socket the path of a file");
        else if (!mayWriteInto(directory))
            yield return Finding(FindingSeverity.Error, socket, $"the control socket {socket} can't be made: this user may not write into {directory}", Remedy);
    }

    // Directories that are missing are made.
    private static string Existing(string directory)
    {
        while (directory.Length > 1 && !Directory.Exists(directory))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }

    private static HostFinding Finding(FindingSeverity severity, string socket, string message, string remedy) =>
        new("socket", severity, socket, Element, message, remedy);
}
