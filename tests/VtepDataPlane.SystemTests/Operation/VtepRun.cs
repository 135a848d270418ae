// The daemon as an operator meets it: any configuration, started in any way (as another user, with another /dev), on any host,
// asked through its own commands. VtepProcess is for daemons that must work; this is also for those that must refuse to.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>One configuration of vtep on a host, with a folder of its own.</summary>
internal sealed class VtepRun : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;
    private readonly NetworkNamespace _place;
    private readonly string _program;
    private BackgroundProcess? _process;

    /// <summary>Writes the configuration; its control socket is added.</summary>
    /// <param name="place">Where it runs.</param>
    /// <param name="configuration">What the file says.</param>
    /// <param name="program">The build of vtep; null: <see cref="VtepProcess.Executable"/>.</param>
    public VtepRun(NetworkNamespace place, JsonObject configuration, string? program = null)
    {
        (_place, _program) = (place, program ?? VtepProcess.Executable);

        // Another user may have to read the configuration and to make the socket.
        Command.Run("chmod", "0777", _folder).OrFail();
        Write(configuration);
    }

    /// <summary>Path of the control socket.</summary>
    public string Socket => Path.Combine(_folder, "vtep.sock");

    /// <summary>The configuration file.</summary>
    public string ConfigurationFile => Path.Combine(_folder, "vtep.jsonc");

    /// <summary>The started process.</summary>
    public BackgroundProcess Process => _process ?? throw new InvalidOperationException("The daemon has not been started.");

    /// <summary>A configuration with a VTEP address and domains.</summary>
    public static JsonObject Configuration(string local, params IEnumerable<JsonObject> domains) => new()
    {
        ["workers"] = 1,
        ["underlay"] = new JsonObject { ["local"] = local },
        ["bridgeDomains"] = new JsonArray([.. domains]),
    };

    /// <summary>A domain with one TAP called "tap-NAME" and static peers.</summary>
    public static JsonObject Domain(string name, int vni, params IEnumerable<string> peers) => new()
    {
        ["name"] = name,
        ["vni"] = vni,
        ["ports"] = new JsonArray(new JsonObject { ["tap"] = $"tap-{name}" }),
        ["discovery"] = new JsonObject { ["static"] = new JsonObject { ["peers"] = new JsonArray([.. peers.Select(peer => JsonValue.Create(peer))]) } },
    };

    /// <summary>Writes another configuration over the old one.</summary>
    public void Write(JsonObject configuration)
    {
        JsonObject control = configuration["control"]?.AsObject() ?? [];
        control["socket"] = Socket;
        configuration["control"] ??= control;
        File.WriteAllText(ConfigurationFile, configuration.ToJsonString());
    }

    /// <summary>Runs it to its end, which it is expected to reach by itself, with the time that took.</summary>
    /// <param name="through">Words in front of the command line, such as those of setpriv(1).</param>
    public (CommandResult Result, TimeSpan Time) RunToEnd(params IEnumerable<string> through)
    {
        string[] line = [.. through, ExecutableFor(through), "run", "--config", ConfigurationFile];
        long start = Stopwatch.GetTimestamp();
        CommandResult result = _place.Try(TimeSpan.FromSeconds(10), line[0], line[1..]);
        return (result, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Runs `vtep setup`, as root, for the user that <see cref="Privileges.None"/> is.</summary>
    public CommandResult Setup(params IEnumerable<string> words) => _place.Try(
        Command.UsualLimit, _program, ["setup", "--config", ConfigurationFile, "--user", $"{Privileges.UserId}", .. words]);

    /// <summary>Starts it and waits until it answers; gives the time that took.</summary>
    public TimeSpan Start(double limitSeconds = 15, params IEnumerable<string> through)
    {
        string[] line = [.. through, ExecutableFor(through), "run", "--config", ConfigurationFile];
        long start = Stopwatch.GetTimestamp();
        _process = _place.Start(line[0], line[1..]);
        Wait.Until("vtep answers", () => Ended() || ControlQuestion.IsAnswered(Socket), limitSeconds, () => Process.Text);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Runs one of its commands that ask the running daemon.</summary>
    public CommandResult Ask(params IEnumerable<string> words) => Command.Run(_program, [.. words, "--socket", Socket]);

    /// <summary>What `vtep show WHAT --json` says.</summary>
    public JsonNode Show(string what) => JsonNode.Parse(ControlQuestion.Show(Socket, what))!;

    /// <summary>How many frames were dropped for a reason (snake case), in all.</summary>
    public long Drops(string reason) => (long?)Show("counters")["drops"]![reason] ?? 0;

    /// <summary>A number from its /proc/PID/status, such as VmRSS (KiB).</summary>
    public string Status(string name) =>
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{Process.Id}/status")).First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    /// <summary>Ends it by SIGTERM; it must exit with 0 within five seconds. Gives the time that took.</summary>
    public TimeSpan Stop(double limitSeconds = 5)
    {
        long start = Stopwatch.GetTimestamp();
        Process.Signal("TERM");
        int exitCode = Process.WaitForExit(TimeSpan.FromSeconds(limitSeconds));
        Assert.That(exitCode, Is.Zero, Process.Text);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>What it left in its folder besides its configuration.</summary>
    public IReadOnlyList<string> Leftovers() => [.. Directory.EnumerateFileSystemEntries(_folder).Where(path => path != ConfigurationFile && path != Copy)];

    /// <summary>Kills it if it still runs; deletes its folder.</summary>
    public void Dispose()
    {
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Copy => Path.Combine(_folder, "bin");

    // Another user may not be let into the folder this was built in (a checkout in root's home, say): it gets a copy.
    private string ExecutableFor(IEnumerable<string> through)
    {
        if (!through.Contains("setpriv"))
            return _program;
        Command.Run("cp", "-r", Path.GetDirectoryName(_program)!, Copy).OrFail();
        Command.Run("chmod", "-R", "a+rX", Copy).OrFail();
        return Path.Combine(Copy, Path.GetFileName(_program));
    }

    private bool Ended() => Process.HasExited ? throw new AssertionException($"vtep ended early.\n{Process.Text}") : false;
}
