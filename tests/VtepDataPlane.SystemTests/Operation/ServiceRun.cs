// A daemon under a service manager, which the test plays: the daemon gets a NOTIFY_SOCKET, and what it says there is kept.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.Tests.Program;

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>vtep, started as a service.</summary>
internal sealed class ServiceRun : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;
    private readonly NetworkNamespace _place;
    private readonly string _program;

    /// <summary>Makes its files.</summary>
    public ServiceRun(NetworkNamespace place, JsonObject configuration, string? program = null)
    {
        (_place, _program) = (place, program ?? VtepProcess.Executable);
        configuration["control"] = new JsonObject { ["socket"] = Path.Combine(_folder, "vtep.sock") };
        File.WriteAllText(ConfigurationFile, configuration.ToJsonString());
        Manager = new NotifySocket(Path.Combine(_folder, "notify"));
    }

    public NotifySocket Manager { get; }

    public BackgroundProcess Process { get; private set; } = null!;

    /// <summary>How many signs of life there were.</summary>
    public int SignsOfLife => Manager.Messages.Count(message => message == "WATCHDOG=1");

    /// <summary>All it told, for failures.</summary>
    public string Told => string.Join("\n--\n", Manager.Messages.TakeLast(20)) + "\n" + Process.Text;

    private string ConfigurationFile => Path.Combine(_folder, "vtep.jsonc");

    /// <summary>Starts it; gives the time.</summary>
    /// <param name="watchdogMilliseconds">The interval of the watchdog; 0: none.</param>
    public long Start(int watchdogMilliseconds = 0)
    {
        string[] watchdog = watchdogMilliseconds == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"WATCHDOG_USEC={1000 * watchdogMilliseconds}")];
        long start = Stopwatch.GetTimestamp();
        Process = _place.Start("env", [$"NOTIFY_SOCKET={Manager.Address}", .. watchdog, _program, "run", "--config", ConfigurationFile]);
        return start;
    }

    /// <summary>Waits for READY; gives when it came.</summary>
    public long WaitUntilReady()
    {
        long? at = null;
        Wait.Until("READY=1 came", () => Process.HasExited || (at = Manager.TimeOf(message => message.StartsWith("READY=1", StringComparison.Ordinal))) is not null, 15, () => Told);
        return at ?? throw new AssertionException($"vtep ended early.\n{Told}");
    }

    /// <summary>Ends it by SIGTERM; gives the time that took.</summary>
    public TimeSpan Stop()
    {
        long start = Stopwatch.GetTimestamp();
        Process.Signal("TERM");
        Assert.That(Process.WaitForExit(TimeSpan.FromSeconds(5)), Is.Zero, Told);
        return Stopwatch.GetElapsedTime(start);
    }

    public void Dispose()
    {
        Process?.Dispose();
        Manager.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
