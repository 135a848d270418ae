// A network namespace for the tests of netlink: made, set up and read by ip(8), so that our own code is judged by another's.

using System.Diagnostics;
using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Netlink;

/// <summary>A namespace, deleted on disposal, and an rtnetlink socket in it.</summary>
internal sealed class NetlinkNamespace : IDisposable
{
    private static int s_count;

    /// <summary>Makes a namespace and sets it up by commands of ip(8).</summary>
    public NetlinkNamespace(params string[] commands)
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Fail("Needs root, because it makes network namespaces: run 'sudo tests/run.sh'.");
        Name = $"netlink-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
        Run("ip", $"netns add {Name}");
        try
        {
            IpBatch(["link set lo up", .. commands]);
            Netlink = InNamespace.Run(Name, () => new RtNetlink());
        }
        catch
        {
            Run("ip", $"netns del {Name}");
            throw;
        }
    }

    public string Name { get; }

    public RtNetlink Netlink { get; }

    /// <summary>Runs ip(8) with blank-separated <paramref name="words"/> in the namespace; gives its output.</summary>
    public string Ip(string words) => Run("ip", $"-n {Name} {words}");

    /// <summary>Runs many commands of ip(8), up to the first that fails.</summary>
    public void IpBatch(IEnumerable<string> lines) => Run("ip", $"-n {Name} -batch -", string.Join('\n', lines));

    /// <summary>Runs a program in the namespace; gives its output.</summary>
    public string Exec(string commandLine) => Run("ip", $"netns exec {Name} {commandLine}");

    public LinkInfo Link(string name) => Netlink.GetLink(name) ?? throw new AssertionException($"No link '{name}' in {Name}.");

    public void Dispose()
    {
        Netlink.Dispose();
        Run("ip", $"netns del {Name}");
    }

    private static string Run(string program, string words, string? input = null)
    {
        var info = new ProcessStartInfo(program, words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(info)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new AssertionException($"'{program} {words}' ended with exit code {process.ExitCode}: {error.Result}{output.Result}");
        return output.Result;
    }
}
