// One host of the bench: a network namespace with an eth0 on the underlay. Everything started in it is killed before it is deleted. Its name starts
// with the id of this process, so that bench/run.sh can sweep what a killed run left.

using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>A host; deleted on disposal.</summary>
internal sealed class Host : IDisposable
{
    /// <summary>Its end of the underlay.</summary>
    public const string UnderlayDevice = "eth0";

    // Duplicate address detection would make every IPv6 address wait for a second; router solicitations are noise.
    private static readonly string[] s_settings =
    [
        "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
        "net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.default.router_solicitations=0",
    ];

    private static int s_count;
    private readonly List<BackgroundProcess> _started = [];

    public Host(int number)
    {
        Number = number;
        Name = $"vtb{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}-h{number}";
        Shell.Run("ip", "netns", "add", Name);
        Exec("sysctl", ["-qw", .. s_settings]);
        Ip("link set lo up");
    }

    /// <summary>1 or 2.</summary>
    public int Number { get; }

    /// <summary>Of the namespace.</summary>
    public string Name { get; }

    /// <summary>Its VTEP address over IPv4 or IPv6.</summary>
    public IPAddress Underlay(bool v6) => IPAddress.Parse(v6 ? $"fd00:18::{Number}" : $"198.18.0.{Number}");

    /// <summary>Its address in the segment.</summary>
    public IPAddress Inner(bool v6) => IPAddress.Parse(v6 ? $"fd00:19::{Number}" : $"198.19.0.{Number}");

    /// <summary>Its addresses in the segment with their prefix lengths.</summary>
    public IReadOnlyList<string> InnerPrefixes => [$"{Inner(v6: false)}/24", $"{Inner(v6: true)}/64"];

    /// <summary>Runs ip(8) with blank-separated words.</summary>
    public void Ip(string words) => Shell.Run("ip", ["-n", Name, .. Words(words)]);

    /// <summary>Runs bridge(8) with blank-separated words.</summary>
    public void BridgeTool(string words) => Shell.Run("bridge", ["-n", Name, .. Words(words)]);

    /// <summary>Runs a program in it that must succeed; gives its output.</summary>
    public string Exec(string program, params IEnumerable<string> arguments) => Shell.Run("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>As above, with a time bound of its own.</summary>
    public string Exec(TimeSpan limit, string program, params IEnumerable<string> arguments) =>
        Shell.Run(limit, "ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Runs a program in it; true when it succeeded.</summary>
    public bool Succeeds(string program, params IEnumerable<string> arguments) =>
        Shell.Succeeds("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Starts a program in it, which ends with the host at the latest.</summary>
    public BackgroundProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] words = ["netns", "exec", Name, program, .. arguments];
        var process = new BackgroundProcess($"{Path.GetFileName(program)} on host {Number}", Shell.Start("ip", words, environment));
        _started.Add(process);
        return process;
    }

    /// <summary>Starts this very program in it, in one of its other modes.</summary>
    public BackgroundProcess StartSelf(params IEnumerable<string> arguments) => Start(Environment.ProcessPath!, arguments);

    /// <summary>A device of that name is there.</summary>
    public bool HasDevice(string device) => Shell.Succeeds("ip", "-n", Name, "link", "show", "dev", device);

    /// <summary>The MAC of one of its devices.</summary>
    public string Mac(string device) => Exec("cat", $"/sys/class/net/{device}/address").Trim();

    /// <summary>Sets the inner addresses and the MTU on a device and brings it up.</summary>
    public void SetUpInner(string device, int mtu)
    {
        Ip($"link set {device} mtu {mtu}");
        foreach (string prefix in InnerPrefixes)
            Ip($"addr add {prefix} dev {device}");
        Ip($"link set {device} up");
    }

    /// <summary>One ping crosses to an inner address.</summary>
    public bool Reaches(IPAddress address) =>
        Succeeds("ping", address.AddressFamily == AddressFamily.InterNetworkV6 ? "-6" : "-4", "-c1", "-W1", $"{address}");

    /// <summary>Runs code inside the namespace, on a thread of its own; sockets and /proc/thread-self/net files it opens stay inside.</summary>
    public T Inside<T>(Func<T> body)
    {
        var result = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result.SetResult(body());
            }
#pragma warning disable CA1031 // whatever it is, it is thrown to who waits
            catch (Exception e)
#pragma warning restore CA1031
            {
                result.SetException(e);
            }
        });
        thread.Start();
        return result.Task.GetAwaiter().GetResult();
    }

    /// <summary>Kills what was started in it, then deletes it.</summary>
    public void Dispose()
    {
        foreach (BackgroundProcess process in _started)
            process.Dispose();
        Shell.Run("ip", "netns", "del", Name);
    }

    private void Enter()
    {
        using SafeFileHandle file = File.OpenHandle($"/run/netns/{Name}");
        if (LibC.setns((int)file.DangerousGetHandle(), LibC.CLONE_NEWNET) != 0)
            throw new BenchException($"The namespace {Name} can't be entered. Run the bench as root.");
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
