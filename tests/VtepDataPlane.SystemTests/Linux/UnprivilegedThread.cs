// Runs a piece of a test as a user without any capability, in a network namespace, in this process: a thread of its own enters the
// namespace, gets a private view of the file system in which /dev/net/tun may be opened by all (the customary mode; some
// machines have it for root only), and changes its user id by the system call itself, which, unlike the C library's function,
// concerns the calling thread alone. It ends afterwards, so nothing has to be undone.

using System.Runtime.InteropServices;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Linux;

/// <summary>A thread without rights.</summary>
internal static class UnprivilegedThread
{
    /// <summary>Whose it is.</summary>
    public const int UserId = 54_321;

    private const int CLONE_NEWNS = 0x0002_0000;
    private const ulong MS_BIND = 0x1000;
    private const ulong MS_REC = 0x4000;
    private const ulong MS_PRIVATE = 0x4_0000;

    /// <summary>Runs <paramref name="body"/>; what it throws is thrown here.</summary>
    public static void Run(string networkNamespace, Action body)
    {
        string node = $"/tmp/vtep-tun-{Environment.ProcessId}";
        Command.Run("mknod", "-m", "0666", node, "c", "10", "200").OrFail();
        try
        {
            InNamespace.Run(networkNamespace, () =>
            {
                Require(unshare(CLONE_NEWNS), "unshare");
                Require(mount("none", "/", null, MS_REC | MS_PRIVATE, null), "mount --make-rprivate /");
                Require(mount(node, "/dev/net/tun", null, MS_BIND, null), "mount --bind /dev/net/tun");
                long setresuid = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 117 : 147;
                Require((int)syscall(setresuid, UserId, UserId, UserId), "setresuid");
                body();
            });
        }
        finally
        {
            File.Delete(node);
        }
    }

    private static void Require(int result, string what)
    {
        if (result != 0)
            throw new AssertionException($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}. These tests need root.");
    }

#pragma warning disable SYSLIB1054, CA2101 // the source generator needs unsafe code, which this project does without; names are ASCII
    [DllImport("libc", SetLastError = true)]
    private static extern int unshare(int flags);

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int mount(string source, string target, string? type, ulong flags, string? data);

    [DllImport("libc", SetLastError = true)]
    private static extern long syscall(long number, long a, long b, long c);
#pragma warning restore SYSLIB1054, CA2101
}
