// The daemon: data plane, control API, signals, life. Started in that order, stopped in reverse, so that systemd hears READY when
// everything is up, and nobody can ask a data plane that is gone.
//
//   SIGTERM, SIGINT  drain, remove what was made, exit 0     (within 5 s: the control API gets one, the data plane three)
//   SIGHUP           reload the configuration file
//
// The host is built empty: no appsettings.json, no environment variables, no default address to listen on. What configures the
// daemon is its configuration file alone.

using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Controllers;
using VtepDataPlane.Daemon.Dashboard;
using VtepDataPlane.Daemon.Logging;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Runs a VTEP until it is told to stop.</summary>
/// <param name="path">The configuration file, for reloads.</param>
/// <param name="config">What it says.</param>
/// <param name="start">Starts the data plane.</param>
/// <param name="manager">Who is told how it is; null: the service manager that started this process, if one did.</param>
internal sealed class DaemonHost(string path, DaemonConfig config, Func<VtepConfig, ILoggerFactory, DataPlane> start, ServiceManager? manager = null)
{
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Who may use the control API.</summary>
    public ControlAccess Access { get; init; } = ControlAccess.OfThisMachine();

    /// <summary>Tells who is at the other end of a control connection.</summary>
    public Func<System.Net.Sockets.Socket, Caller> Identify { get; init; } = Caller.Of;

    /// <summary>The program's version without the commit.</summary>
    public static string Version { get; } = typeof(DaemonHost).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Runs until a signal or <paramref name="stop"/>.</summary>
    /// <exception cref="VtepException">It can't be started; nothing is left behind.</exception>
    public async Task RunAsync(CancellationToken stop = default)
    {
        using ControlSocket socket = ControlSocket.Claim(config.ControlSocket);
        using HttpAddress http = HttpAddress.Claim(config.Http);
        var door = new ControlDoor(Access, Identify);
        await using WebApplication app = Build(socket, door, http);
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        ILogger log = loggers.CreateLogger("vtep");
        DataPlane dataPlane = start(config.Vtep, loggers);
        await using var stopping = new BoundedStop(dataPlane, log);
        foreach (ControllerSource source in config.Sources)
            dataPlane.Vtep.Attach(source.Config.Name, DirectorySources.Open(config, source.Config.Name, loggers), TimeProvider.System);
        using var programMetrics = new ProgramMetrics(dataPlane);
        using var metrics = new MetricsReader(dataPlane.Vtep, programMetrics);
        using MeterProvider? otlp = OtlpPush.Start(config.Otlp);
        using var reloader = new Reloader(path, config, dataPlane);
        using var life = new ServiceLife(manager ?? ServiceManager.OfThisProcess(), dataPlane, TimeProvider.System, log);
        var reloads = new Reloads(path, reloader, life, log);
        var scraped = new MetricsApi(metrics, dataPlane);
        app.Use(new TcpDoor([.. scraped.Routes, .. config.Dashboard ? new DashboardApi(dataPlane, TimeProvider.System).Routes : []]).SeparateAsync);
        app.Use((context, next) => door.CheckAsync(context, next, log));
        new ControlApi(dataPlane, new ConfigApi(path, () => reloader.Config, reloads.ReloadAsync), scraped).Map(app);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            _ = reloads.ReloadAsync();
        });

        app.Lifetime.ApplicationStopping.Register(log.Stopping);
        app.Lifetime.ApplicationStopping.Register(life.Stopping);
        await app.StartAsync(stop);
        LogStart(dataPlane, log);
        life.Ready();
        await app.WaitForShutdownAsync(stop);
    }

    private static WebApplication Build(ControlSocket socket, ControlDoor door, HttpAddress http)
    {
        // The host insists on a content root it can read; by default that is the working directory, which may be anybody's.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.AddDaemonLogging();
        builder.Logging.AddFilter("Microsoft", LogLevel.Error);

        // What goes wrong at the start is thrown to us as well, and said once.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = s_stopTimeout);
        builder.Services.Configure<SocketTransportOptions>(options => options.CreateBoundListenSocket = at => at is UnixDomainSocketEndPoint ? socket.Bind() : http.Take());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            Limit(options, socket.Path, door);
            http.Listen(options);
        });
        return builder.Build();
    }

    private static void Limit(KestrelServerOptions options, string path, ControlDoor door)
    {
        options.ListenUnixSocket(path, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(door.Admit);
        });
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = ControlApi.MostRead;
        options.Limits.MaxRequestHeaderCount = 32;
        options.Limits.MaxRequestLineSize = 2 * CaptureApi.LongestFrame + 1024;
        options.Limits.MaxRequestHeadersTotalSize = ControlApi.MaxRequestBody;
        options.Limits.RequestHeadersTimeout = ControlApi.Patience;
        options.Limits.KeepAliveTimeout = ControlApi.Patience;

        // The largest body that is taken, in the time it may take: what trickles in slower is cut after that time.
        options.Limits.MinRequestBodyDataRate = new MinDataRate(ControlApi.MaxRequestBody / ControlApi.Patience.TotalSeconds, ControlApi.Patience);
    }

    private static void LogStart(DataPlane dataPlane, ILogger log)
    {
        VtepSnapshot status = dataPlane.Vtep.Status();
        log.Started(Version, new VtepEndpoint(status.Local, status.Port), status.Workers, status.BridgeDomains, status.Ports);
    }
}
