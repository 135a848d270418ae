// The program under test: `vtep run` on a host, with a configuration file and a control socket of its own. It is asked and told
// only what an operator asks and tells it: what `vtep show ... --json` says (ControlQuestion), signals, its log and its exit code.
//
// Stop is where every test ends that used one: the books must be closed (no frame unaccounted for), the log must hold no warning the
// test didn't announce, the exit code must be 0 and nothing of it may be left.

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A running vtep.</summary>
internal sealed partial class VtepProcess : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;
    private BackgroundProcess _process;
    private readonly List<Regex> _announced = [];
    private readonly string _program;
    private bool _disposed;
    private LabDomain[] _domains;

    /// <summary>Starts <see cref="Executable"/> and waits until it answers.</summary>
    public VtepProcess(LabHost host, params LabDomain[] domains)
        : this(host, Executable, domains)
    {
    }

    /// <summary>Starts another build of the program and waits until it answers.</summary>
    public VtepProcess(LabHost host, string program, params LabDomain[] domains)
    {
        Requirements.Need("ip");
        if (!File.Exists(program))
            Assert.Fail($"Needs the program at {program}: run 'dotnet build -c Release', or let tests/run.sh do it.");
        (Host, _program, _domains) = (host, program, domains);
        WriteConfiguration();
        _process = Run();
        WaitUntilItAnswers();
    }

    /// <summary>The program: VTEP_EXECUTABLE, or what the build of this repository made.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("VTEP_EXECUTABLE")
        ?? Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Vtep/release/vtep"));

    public LabHost Host { get; }

    /// <summary>The machine on the overlay of the first domain.</summary>
    public Station Station => _domains[0].StationOn(Host);

    /// <summary>Path of the control socket.</summary>
    public string Socket => Path.Combine(_folder, "vtep.sock");

    /// <summary>Where it keeps what its controller has told.</summary>
    public string CacheFile => Path.Combine(_folder, "main.cache");

    /// <summary>All it logged.</summary>
    public string Log => _process.Text;

    private string ConfigurationFile => Path.Combine(_folder, "vtep.jsonc");

    /// <summary>What `vtep show WHAT --json` says.</summary>
    public JsonNode Show(string what) =>
        JsonNode.Parse(ControlQuestion.Show(Socket, what)) ?? throw new AssertionException($"{Socket} says null of its {what}.");

    /// <summary>The FDB entries of a MAC, as "kind place" where place is the port or VTEP.</summary>
    public IReadOnlyList<string> Fdb(string mac, int? vni = null) =>
        [.. Show("fdb").AsArray()
            .Where(entry => (string?)entry!["mac"] == mac && (vni is null || (int)entry["vni"]! == vni))
            .Select(entry => $"{entry!["kind"]} {entry["port"] ?? entry["vtep"]}")];

    /// <summary>Runs one of its commands that ask the running daemon; the exit code is the caller's business.</summary>
    public CommandResult Ask(params IEnumerable<string> words) => Command.Run(_program, [.. words, "--socket", Socket]);

    /// <summary>How many frames were dropped for a reason (snake case), in all.</summary>
    public long Drops(string reason) => (long?)Show("counters")["drops"]![reason] ?? 0;

    /// <summary>Says that the log may hold a warning or error that matches.</summary>
    public void Announce(string pattern) => _announced.Add(new Regex(pattern));

    /// <summary>Writes another configuration and has it read; waits until <paramref name="applied"/>.</summary>
    public void Reload(Func<bool> applied, params LabDomain[] domains)
    {
        _domains = domains;
        WriteConfiguration();
        _process.Signal("HUP");
        Wait.Until("the new configuration is in force", applied, 10, () => Log);
    }

    /// <summary>Kills it, as a crash would, and starts it again.</summary>
    public void Restart()
    {
        _process.Dispose();
        _process = Run();
        WaitUntilItAnswers();
    }

    /// <summary>Sends it a signal, such as KILL or STOP.</summary>
    public void Signal(string name) => _process.Signal(name);

    /// <summary>Ends it by a signal and checks all it leaves behind.</summary>
    public void Stop(string signal = "TERM")
    {
        AssertBooksAreClosed();
        _process.Signal(signal);
        int exitCode = _process.WaitForExit(TimeSpan.FromSeconds(10));
        Assert.That(exitCode, Is.Zero, $"exit code after SIG{signal}\n{Log}");
        AssertNothingIsLeft();
        AssertLogIsClean();
    }

    /// <summary>Every frame that came in was sent or dropped for a counted reason. Waits until frames in work are done.</summary>
    public void AssertBooksAreClosed()
    {
        JsonNode counters = Show("counters");
        bool AreClosed() => (long)(counters = Show("counters"))["unaccounted"]! == 0;
        Wait.Until("no frame is unaccounted for", AreClosed, 3, () => counters.ToJsonString());
    }

    /// <summary>Kills it if it still runs; deletes its files.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private BackgroundProcess Run() => Host.Namespace.Start(_program, ["run", "--config", ConfigurationFile]);

    private void WaitUntilItAnswers() =>
        Wait.Until("vtep answers", () => Ended() || ControlQuestion.IsAnswered(Socket), 15, () => Log);

    private bool Ended() => _process.HasExited ? throw new AssertionException($"vtep ended early.\n{Log}") : false;

    private void WriteConfiguration() => File.WriteAllText(ConfigurationFile, LabDomain.File(Host, Socket, _domains));

    private void AssertNothingIsLeft()
    {
        Assert.That(File.Exists(Socket), Is.False, "the control socket is left");
        foreach (LabDomain domain in _domains)
            Assert.That(Host.Namespace.HasDevice(domain.Tap), Is.False, $"{domain.Tap} is left");
    }

    private void AssertLogIsClean()
    {
        IEnumerable<string> surprises = _process.Lines.Where(line => Warning().IsMatch(line) && !_announced.Any(known => known.IsMatch(line)));
        Assert.That(surprises, Is.Empty, $"warnings in the log of {Host.Namespace.Name}");
    }

    // The form of a terminal ("2026-01-02T03:04:05.678Z warn  ..."), of the journal ("<4>..."), and of a process that crashes.
    [GeneratedRegex(@"^\S+Z (warn|error)|^<[0-4]>|Unhandled exception")]
    private static partial Regex Warning();
}
