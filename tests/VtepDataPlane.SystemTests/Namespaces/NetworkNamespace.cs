// One network namespace: a machine of the tests, as far as the network goes. Its name starts with the id of the process which
// made it, so that a later run can tell the leftovers of a dead run from the machines of a living one (SystemTestRun sweeps).
// Everything started in a namespace belongs to it and is killed, by process id, before the namespace is deleted.

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A network namespace, deleted on disposal.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    // Duplicate address detection would make every IPv6 address wait for a second; router solicitations are noise on a quiet wire.
    private static readonly string[] s_settings =
    [
        "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
        "net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.default.accept_ra=0",
        "net.ipv6.conf.default.router_solicitations=0", "net.ipv6.conf.all.keep_addr_on_down=1",
    ];

    private static int s_count;
    private readonly List<BackgroundProcess> _started = [];

    /// <summary>Makes a namespace.</summary>
    /// <param name="role">What it is in the test; the end of its name.</param>
    public NetworkNamespace(string role)
    {
        Requirements.Need("ip", "sysctl");
        Name = $"vt{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}-{role}";
        Command.Run("ip", "netns", "add", Name).OrFail();
        Exec("sysctl", ["-qw", .. s_settings]);
        Ip("link set lo up");
    }

    /// <summary>Its name, as 'ip netns' knows it.</summary>
    public string Name { get; }

    /// <summary>Runs a program in it; the exit code is the caller's business.</summary>
    public CommandResult Try(TimeSpan limit, string program, params IEnumerable<string> arguments) =>
        Command.Run(limit, "ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Runs a program in it that must succeed.</summary>
    public CommandResult Exec(string program, params IEnumerable<string> arguments) => Try(Command.UsualLimit, program, arguments).OrFail();

    /// <summary>Runs ip(8) with blank-separated <paramref name="words"/>; must succeed.</summary>
    public CommandResult Ip(string words) => Command.Run("ip", ["-n", Name, .. Words(words)]).OrFail();

    /// <summary>Runs bridge(8) with blank-separated <paramref name="words"/>; must succeed.</summary>
    public CommandResult BridgeTool(string words) => Command.Run("bridge", ["-n", Name, .. Words(words)]).OrFail();

    /// <summary>Starts a program in it, beside the test.</summary>
    public BackgroundProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = new BackgroundProcess("ip", ["netns", "exec", Name, program, .. arguments], environment);
        _started.Add(process);
        return process;
    }

    /// <summary>Sets kernel parameters of the namespace, each "name=value".</summary>
    public void Sysctl(params IEnumerable<string> settings) => Exec("sysctl", ["-qw", .. settings]);

    /// <summary>A device of that name is there.</summary>
    public bool HasDevice(string device) => Command.Run("ip", "-n", Name, "link", "show", "dev", device).ExitCode == 0;

    /// <summary>Kills what was started in it, then deletes it.</summary>
    public void Dispose()
    {
        foreach (BackgroundProcess process in _started)
            process.Dispose();
        Command.Run("ip", "netns", "del", Name).OrFail();
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
