// The whole daemon in this process, data plane apart: that one is a Vtep on an in-memory host. Commands reach it over a real unix
// socket in a folder of the test's own.

using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

internal sealed class InMemoryDaemon : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<DataPlane> _started = new();
    private readonly Task _run;
    private readonly Func<string?> _findStall;

    private InMemoryDaemon(
        string json, Func<Socket, Caller>? identify, ControlAccess? access, ServiceManager? manager, Func<string?>? findStall)
    {
        _findStall = findStall ?? (() => null);
        File.WriteAllText(ConfigPath, json.Replace("SOCKET", Socket, StringComparison.Ordinal));
        DaemonConfig config = ConfigFile.Load(ConfigPath).Config ?? throw new ArgumentException("The test's configuration is broken.", nameof(json));
        var host = new DaemonHost(ConfigPath, config, Start, manager)
        {
            Identify = identify ?? Caller.Of,
            Access = access ?? ControlAccess.OfThisMachine(),
        };
        _run = host.RunAsync(_stop.Token);
    }

    public string ConfigPath => _folder.File("vtep.jsonc");

    public string Socket => _folder.File("run/vtep.sock");

    public MemoryHost Host { get; } = new(new MemoryNetwork(), InetAddress.Parse("198.18.0.1"));

    /// <summary>What stands still, if anything.</summary>
    public string? Stall { get; set; }

    /// <summary>The VTEP it runs.</summary>
    public Vtep Vtep => _started.Task.Result.Vtep;

    public bool IsStopped { get; private set; }

    /// <summary>Starts and waits until the control API answers. SOCKET in the configuration is replaced by the socket's path.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="identify">Whom it takes its clients for; null: for what they are.</param>
    /// <param name="access">Who may do what; null: as on this machine.</param>
    /// <param name="manager">Its service manager; null: none.</param>
    /// <param name="findStall">What its data plane says of stalls; null: there are none.</param>
    public static async Task<InMemoryDaemon> StartAsync(
        string json, Func<Socket, Caller>? identify = null, ControlAccess? access = null, ServiceManager? manager = null, Func<string?>? findStall = null)
    {
        Assert.That(json, Does.Contain("SOCKET"), "without it nobody would answer where this asks");
        var daemon = new InMemoryDaemon(json, identify, access, manager, findStall);
        await Task.WhenAny(daemon._started.Task, daemon._run);
        while (!daemon._run.IsCompleted && !await daemon.AnswersAsync())
            await Task.Yield();
        if (daemon._run.IsCompleted)
            await daemon._run;
        return daemon;
    }

    /// <summary>Runs a command line against it.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> CommandAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await CommandTree.InvokeAsync([.. arguments, "--socket", Socket], output, errors,
            (_, _) => throw new InvalidOperationException("No test runs the run command."));
        return (exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>Tells it to stop, and waits until it has.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    private DataPlane Start(VtepConfig config, ILoggerFactory loggers)
    {
        var vtep = new Vtep(config, Host, seed: 1, nowMilliseconds: 0);
        var dataPlane = new DataPlane(vtep, () => 5_000, next => ApplyAsync(vtep, next), () => StopVtep(vtep)) { FindStall = () => Stall ?? _findStall() };
        _started.SetResult(dataPlane);
        return dataPlane;
    }

    private static Task ApplyAsync(Vtep vtep, VtepConfig next)
    {
        vtep.Apply(next, nowMilliseconds: 5_000);
        return Task.CompletedTask;
    }

    private ValueTask StopVtep(Vtep vtep)
    {
        vtep.Dispose();
        IsStopped = true;
        return ValueTask.CompletedTask;
    }

    private async Task<bool> AnswersAsync()
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(Socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
