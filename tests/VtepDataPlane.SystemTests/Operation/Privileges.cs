// Words to put in front of a command line, to run it with less than root has. The device node /dev/net/tun is a private one, in a
// mount namespace that ends with the process: what the machine's own node allows is the machine's business.

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>Command lines of unshare(1) and setpriv(1).</summary>
internal static class Privileges
{
    /// <summary>A user without any right, and nobody else's: 65534 is whoever has no id of his own, and proves nothing to a control socket.</summary>
    public const int UserId = 54321;

    /// <summary>As that user, without groups and without a single capability.</summary>
    public static IReadOnlyList<string> None { get; } =
        ["setpriv", $"--reuid={UserId}", $"--regid={UserId}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"];

    /// <summary>With an empty /dev/net.</summary>
    public static IReadOnlyList<string> NoNode { get; } = PrivateFolder("");

    /// <summary>With a /dev/net/tun of that mode, owned by root.</summary>
    public static IReadOnlyList<string> NodeOfMode(string mode) => PrivateFolder($"&& mknod -m {mode} /dev/net/tun c 10 200 ");

    private static string[] PrivateFolder(string andThen) =>
        ["unshare", "--mount", "sh", "-c", $"mount -t tmpfs -o mode=755 none /dev/net {andThen}&& exec \"$@\"", "sh"];
}
