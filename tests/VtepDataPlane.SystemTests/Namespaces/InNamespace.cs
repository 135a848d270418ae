// Runs a piece of a test inside a network namespace of ip-netns(8), in this process. A namespace belongs to a thread (setns(2)),
// so the work gets a thread of its own, which ends afterwards: no thread of the pool is ever left in a foreign namespace. What
// was opened inside stays inside: a socket made there belongs to that namespace for good and may be used from any thread.
// Work must stay on its thread: what it hands to the pool (async continuations) runs outside. /sys still shows the old namespace.

using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Runs test code inside a network namespace.</summary>
internal static class InNamespace
{
    /// <summary>Runs <paramref name="body"/> in the namespace called <paramref name="name"/>; what it throws is thrown here.</summary>
    public static void Run(string name, Action body) => Run(name, () =>
    {
        body();
        return true;
    });

    /// <summary>Runs <paramref name="body"/> in the namespace called <paramref name="name"/> and gives its result; what it throws is thrown here.</summary>
    public static T Run<T>(string name, Func<T> body)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(name);
                result = body();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        {
            IsBackground = true,
            Name = $"in {name}",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    private static void Enter(string name)
    {
        using SafeFileHandle file = File.OpenHandle($"/run/netns/{name}");
        if (LibC.setns((int)file.DangerousGetHandle(), LibC.CLONE_NEWNET) != 0)
            throw new InvalidOperationException($"The network namespace '{name}' can't be entered: {Errno.Describe(LibC.errno)}. Run the tests as root.");
    }
}
