// The daemon under a service manager: every message in its order, with its content, over a socket of either kind; and its signs of life, on a
// clock that stands until it is told to go on.

using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Tests.Discovery;
using VtepDataPlane.Tests.Logging;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
[NonParallelizable] // NOTIFY_SOCKET is the process's
public sealed class ServiceTests
{
    private const string Config = """
        {
          "workers": 1, "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue", "mtu": 1400 } ],
              "discovery": { "static": { "peers": [ "198.18.0.2", "198.18.0.3" ] } } } ]
        }
        """;

    private const string Counts = "1 bridge domain, 1 port, 2 peers";
    private static int s_number;

    private static string Abstract => $"@vtep-test-{Environment.ProcessId}-{Interlocked.Increment(ref s_number)}";

    [TestCase(true)]
    [TestCase(false)]
    public async Task StartReloadsAndStop_AreTold_InTheirOrder(bool isAbstract)
    {
        using var folder = new TemporaryFolder();
        using var systemd = new NotifySocket(isAbstract ? Abstract : folder.File("notify"));
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, manager: systemd.Manager());
        await systemd.WaitForAsync(message => message.StartsWith("READY=1", StringComparison.Ordinal));
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("198.18.0.3", "nobody", StringComparison.Ordinal));
        Assert.That((await daemon.CommandAsync("reload")).ExitCode, Is.EqualTo(1));
        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace(", \"198.18.0.3\"", "", StringComparison.Ordinal));
        Assert.That((await daemon.CommandAsync("reload")).ExitCode, Is.Zero);
        await daemon.StopAsync();
        await systemd.WaitForAsync(message => message.StartsWith("STOPPING=1", StringComparison.Ordinal));

        string[] told = [.. systemd.Messages.Where(message => !message.StartsWith("STATUS=", StringComparison.Ordinal))];
        Assert.That(told, Has.Length.EqualTo(6), string.Join("\n--\n", told));
        Assert.That(told[0], Is.EqualTo($"READY=1\nSTATUS={Counts}"));
        Assert.That(told[1], Does.Match("^RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=Reloading the configuration$"));
        Assert.That(told[2], Does.StartWith($"READY=1\nERRNO=22\nSTATUS=reload failed: {daemon.ConfigPath}:5:").And.Contains("'nobody'").And.EndsWith($"; {Counts}"));
        Assert.That(told[3], Does.StartWith("RELOADING=1\n"));
        Assert.That(told[4], Is.EqualTo("READY=1\nSTATUS=1 bridge domain, 1 port, 1 peer"));
        Assert.That(told[5], Does.StartWith("STOPPING=1\nSTATUS=Stopping"));
    }

    [Test]
    public async Task MonotonicTime_IsTheKernels()
    {
        using var systemd = new NotifySocket(Abstract);
        long before = MonotonicMicroseconds();
        systemd.Manager().Reloading("now");
        string message = await systemd.WaitForAsync(_ => true);
        long told = long.Parse(message.Split('\n')[1].Split('=')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(told, Is.InRange(before, MonotonicMicroseconds()));
    }

    [Test]
    public async Task StatusThatChanges_IsToldAgain()
    {
        using var systemd = new NotifySocket(Abstract);
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, manager: systemd.Manager());
        await systemd.WaitForAsync(message => message.StartsWith("READY=1", StringComparison.Ordinal));

        await daemon.CommandAsync("fdb", "add", "--vni", "100", "--mac", "00:00:00:00:00:00", "--vtep", "198.18.0.9");

        await systemd.WaitForAsync(message => message == "STATUS=1 bridge domain, 1 port, 3 peers");
    }

    [Test]
    public async Task AFailedStart_IsToldAsStatus()
    {
        using var systemd = new NotifySocket(Abstract);
        using var errors = new StringWriter();

        StartFailure.Tell(["vtep.jsonc:1:1: no \u001b[31mJSON.\n", "and more"], systemd.Manager(), errors);

        Assert.That(await systemd.WaitForAsync(_ => true), Is.EqualTo("ERRNO=22\nSTATUS=Not started: vtep.jsonc:1:1: no \\u001b[31mJSON.\\u000a (and 1 more)"));
        Assert.That(errors.ToString(), Does.EndWith("and more\n"));
    }

    [Test]
    public void ASocketThatIsGone_IsLoggedOnce_AndStopsNothing()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        ServiceManager manager;
        using (var systemd = new NotifySocket(path))
            manager = systemd.Manager();
        var log = new ListLogger();
        manager.Log = log;

        manager.Ready("all is well");
        manager.Alive();

        Assert.That(log.Lines, Has.Count.EqualTo(1));
        Assert.That(log.Lines[0], Does.StartWith("Warning 108 The service manager can't be told how vtep is: "));
    }

    [TestCase("3000000", null, 3_000)]
    [TestCase("3000000", "77", 3_000)]
    [TestCase("3000000", "78", null)]
    [TestCase("0", null, null)]
    [TestCase("-1", null, null)]
    [TestCase("often", null, null)]
    [TestCase("18446744073709551615", null, null)]
    [TestCase(null, null, null)]
    public void Watchdog_IsOursOnly_WithANumber(string? microseconds, string? processId, int? milliseconds)
    {
        string? Variable(string name) => name == "WATCHDOG_USEC" ? microseconds : processId;
        TimeSpan? expected = milliseconds is { } number ? TimeSpan.FromMilliseconds(number) : null;
        Assert.That(ServiceManager.WatchdogOf(Variable, 77), Is.EqualTo(expected));
    }

    [Test]
    public void SignsOfLife_ComeEveryThirdOfTheInterval()
    {
        var time = new ManualTime();
        var systemd = new ToldList();
        using var life = new ServiceLife(new ServiceManager(systemd, TimeSpan.FromSeconds(10)), NewDataPlane(() => null), time, NullLogger.Instance);
        life.Ready();

        for (int i = 0; i < 100; i++)
            time.Advance(100);

        Assert.That(systemd.Told.Count(message => message == "WATCHDOG=1"), Is.EqualTo(2), "a third each; timers come up to 0.1 s late here");
        Assert.That(systemd.Told, Has.Count.EqualTo(3), "and READY, and no status, which didn't change");
    }

    [Test]
    public void AStall_EndsTheSignsOfLife_IsToldOnce_AndTheyComeAgain()
    {
        string? stall = null;
        int looks = 0;
        var time = new ManualTime();
        var systemd = new ToldList();
        var log = new ListLogger();
        DataPlane dataPlane = NewDataPlane(() => { looks++; return stall; });
        using var life = new ServiceLife(new ServiceManager(systemd, TimeSpan.FromSeconds(3)), dataPlane, time, log);
        life.Ready();
        Advance(time, 3);
        Assert.That(systemd.Told.Skip(1), Is.EqualTo(new[] { "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1" }));

        stall = "Worker vtep-lane-1 hasn't moved for 3.2 s.";
        Advance(time, 4);
        Assert.That(systemd.Told.Skip(4), Is.EqualTo(new[] { $"STATUS=Worker vtep-lane-1 hasn't moved for 3.2 s; {Counts}" }));
        Assert.That(log.Lines, Is.EqualTo(new[] { $"Critical 106 {stall} The service manager isn't told that vtep is alive any more, and will end it" }));

        stall = null;
        Advance(time, 1);
        Assert.That(systemd.Told.Skip(5), Is.EqualTo(new[] { "WATCHDOG=1", $"STATUS={Counts}" }));
        Assert.That(log.Lines[^1], Is.EqualTo("Information 107 Every thread moves again"));
        Assert.That(looks, Is.EqualTo(8));
    }

    [Test]
    public void AStallThatOneLookFinds_IsNoStall()
    {
        bool isLate = false;
        var time = new ManualTime();
        var systemd = new ToldList();
        var log = new ListLogger();
        using var life = new ServiceLife(new ServiceManager(systemd, TimeSpan.FromSeconds(3)), NewDataPlane(() => isLate ? "late." : null), time, log);
        life.Ready();
        isLate = true;
        Advance(time, 1);
        isLate = false;
        Advance(time, 1);
        Assert.That(systemd.Told, Is.EqualTo(new[] { $"READY=1\nSTATUS={Counts}", "WATCHDOG=1" }));
        Assert.That(log.Lines, Is.Empty);
    }

    [Test]
    public void WithoutAWatchdog_NobodyIsAsked_AndWithoutAManagerThereIsNoTimer()
    {
        var time = new ManualTime();
        DataPlane dataPlane = NewDataPlane(() => throw new InvalidOperationException("asked"));
        using (var life = new ServiceLife(new ServiceManager(new ToldList(), null), dataPlane, time, NullLogger.Instance))
        {
            life.Ready();
            Advance(time, 3);
            Assert.That(time.Timers, Is.EqualTo(1));
        }

        using var alone = new ServiceLife(new ServiceManager(new ToldList { IsEnabled = false }, TimeSpan.FromSeconds(3)), dataPlane, time, NullLogger.Instance);
        alone.Ready();
        Assert.That(time.Timers, Is.Zero);
    }

    [Test]
    public void AfterTheStop_NothingIsTold()
    {
        var time = new ManualTime();
        var systemd = new ToldList();
        using var life = new ServiceLife(new ServiceManager(systemd, TimeSpan.FromSeconds(3)), NewDataPlane(() => null), time, NullLogger.Instance);
        life.Ready();
        life.Stopping();
        life.Reloading();
        life.Reloaded([]);
        Advance(time, 3);
        Assert.That(systemd.Told, Has.Count.EqualTo(2));
        Assert.That(systemd.Told[1], Does.StartWith("STOPPING=1\n"));
    }

    [Test]
    public async Task ManyReloadsAtOnce_AreAtMostAsMany_AndAllHaveTheNewFile()
    {
        using var systemd = new NotifySocket(Abstract);
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, manager: systemd.Manager());
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("tap-blue", "tap-new", StringComparison.Ordinal));

        (int ExitCode, string, string)[] all = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => daemon.CommandAsync("reload"))));

        Assert.That(all.Select(one => one.ExitCode), Is.All.Zero);
        Assert.That((await daemon.CommandAsync("show", "ports", "--json")).Output, Does.Contain("tap-new"));
        int begun = systemd.Messages.Count(message => message.StartsWith("RELOADING", StringComparison.Ordinal));
        Assert.That(begun, Is.InRange(1, 10));
    }

    [Test]
    public async Task AReloadThatWaits_AnswersEverybodyWhoCame_AndStartsAfterTheyAsked()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("vtep.jsonc");
        await File.WriteAllTextAsync(path, "{");
        var applied = new List<TaskCompletionSource>();
        DataPlane dataPlane = NewDataPlane(() => null) with
        {
            ApplyAsync = _ =>
            {
                applied.Add(new TaskCompletionSource());
                return applied[^1].Task;
            },
        };
        string good = Config.Replace("SOCKET", folder.File("s"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, good);
        using var reloader = new Reloader(path, Daemon.Configuration.ConfigFile.Load(path).Config!, dataPlane);
        using var life = new ServiceLife(new ServiceManager(new ToldList(), null), dataPlane, new ManualTime(), NullLogger.Instance);
        var reloads = new Reloads(path, reloader, life, NullLogger.Instance);

        Task<ReloadResult> first = reloads.ReloadAsync();
        while (applied.Count == 0)
            await Task.Delay(1);
        Task<ReloadResult>[] storm = [.. Enumerable.Range(0, 99).Select(_ => reloads.ReloadAsync())];
        await File.WriteAllTextAsync(path, "{"); // they read it later than this
        applied[0].SetResult();

        Assert.That((await first).Errors, Is.Empty);
        foreach (Task<ReloadResult> one in storm)
            Assert.That((await one).Errors, Has.Count.EqualTo(1));
        Assert.That(storm.Distinct().Count(), Is.EqualTo(1), "one reload for all of them");
    }

    private static void Advance(ManualTime time, int seconds)
    {
        for (int i = 0; i < seconds; i++)
            time.Advance(1000);
    }

    private static DataPlane NewDataPlane(Func<string?> findStall)
    {
        var config = new VtepConfig
        {
            Workers = 1,
            Underlay = new() { Local = InetAddress.Parse("198.18.0.1") },
            BridgeDomains = Daemon.Configuration.ConfigFile.Parse("vtep.jsonc", System.Text.Encoding.UTF8.GetBytes(Config.Replace("SOCKET", "/run/vtep/vtep.sock", StringComparison.Ordinal))).Config!.Vtep.BridgeDomains,
        };
        var vtep = new Vtep(config, new MemoryHost(new MemoryNetwork(), InetAddress.Parse("198.18.0.1")), seed: 1, nowMilliseconds: 0);
        return new DataPlane(vtep, () => 0, _ => Task.CompletedTask, () => ValueTask.CompletedTask) { FindStall = findStall };
    }

    private static long MonotonicMicroseconds() => System.Diagnostics.Stopwatch.GetTimestamp() / (System.Diagnostics.Stopwatch.Frequency / 1_000_000);

    private sealed class ToldList : ISystemdNotifier
    {
        public List<string> Told { get; } = [];

        public bool IsEnabled { get; init; } = true;

        public void Notify(ServiceState state) => Told.Add(state.ToString());
    }
}
