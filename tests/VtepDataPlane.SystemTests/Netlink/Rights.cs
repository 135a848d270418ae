// A user without any rights, for one thread of the tests.

using System.Runtime.InteropServices;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Netlink;

/// <summary>Gives rights up.</summary>
internal static class Rights
{
    /// <summary>
    /// Makes the calling thread, which must end soon, run as nobody. The C library's setresuid changes every thread of the process;
    /// the system call itself, setresuid(2), only the one that calls.
    /// </summary>
    public static void BecomeNobodyOnThisThread()
    {
        const nint Nobody = 65534;
        nint setresuid = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 117,
            Architecture.Arm64 => 147,
            Architecture other => throw new AssertionException($"The number of setresuid(2) on {other} isn't known to this test."),
        };
        Assert.That((int)SystemCall(setresuid, Nobody, Nobody, Nobody), Is.Zero, "setresuid(2), which needs root");
    }

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern nint SystemCall(nint number, nint first, nint second, nint third);
}
