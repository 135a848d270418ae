// The door of the control API, in two steps.
//
//   a connection comes in    the kernel says whose it is (Caller), the budget whether there is room; one too many is told so
//   a request comes in       GET asks, everything else changes: who may not gets 403, with the remedy; every change is one line
//                            in the log, done or not
//
// The second step is in front of all routes, so that none can be forgotten. What came over TCP has no caller: it never reaches
// the control API, and other routes decide for themselves. Kestrel's threads and the thread pool's.

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Control;

/// <summary>Lets callers in, or not.</summary>
/// <param name="access">Who may do what.</param>
/// <param name="identify">Says who is at the other end of a connection.</param>
internal sealed class ControlDoor(ControlAccess access, Func<Socket, Caller> identify)
{
    // Strangers must not fill the log: so many lines a minute about them, then silence.
    private const int MostDenials = 10;

    private readonly ConnectionBudget _budget = new();
    private readonly Lock _lock = new();
    private long _minute;
    private int _denials;

    /// <summary>Step one: for the listener's connections, <c>listen.Use(door.Admit)</c>.</summary>
    public ConnectionDelegate Admit(ConnectionDelegate next) => async connection =>
    {
        Socket? socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        Caller? caller = socket?.AddressFamily == AddressFamily.Unix ? identify(socket) : null;
        connection.Features.Set(caller);
        using IDisposable? place = _budget.TryTake(caller?.Uid, caller is null ? Permission.None : access.Of(caller));
        if (place is not null)
            await next(connection);
        else
            await connection.Transport.Output.WriteAsync(TooMany());
    };

    /// <summary>Step two: for requests, <c>app.Use(...)</c> in front of all routes.</summary>
    public async Task CheckAsync(HttpContext context, RequestDelegate next, ILogger log)
    {
        if (context.Features.Get<Caller>() is { } caller)
            await (HttpMethods.IsGet(context.Request.Method) ? ReadAsync(context, next, caller) : ChangeAsync(context, next, caller, log));
        else if (ControlRoute.IsControl(context.Request.Path))
            await Deny(context, "The control API is on the unix socket only; ask there, with curl --unix-socket for example.");
        else
            await next(context);
    }

    private async Task ReadAsync(HttpContext context, RequestDelegate next, Caller caller)
    {
        if (access.Of(caller) >= Permission.Read)
            await next(context);
        else
            await Deny(context, access.Refusal(caller, Permission.Read));
    }

    private async Task ChangeAsync(HttpContext context, RequestDelegate next, Caller caller, ILogger log)
    {
        bool may = access.Of(caller) == Permission.Change;
        bool ended = false;
        try
        {
            await (may ? next(context) : Deny(context, access.Refusal(caller, Permission.Change)));
            ended = true;
        }
        finally
        {
            if (may || MayLogDenial())
                Audit(context, caller, ended, log);
        }
    }

    private static Task Deny(HttpContext context, string sentence) =>
        Answers.Fail(context, StatusCodes.Status403Forbidden, "Not allowed", sentence);

    private static void Audit(HttpContext context, Caller caller, bool ended, ILogger log)
    {
        HttpRequest request = context.Request;
        string outcome = !ended ? "failed" : context.Features.Get<ControlProblem>() is { } problem ? $"{problem.Status} {problem.Detail}"
            : string.Create(CultureInfo.InvariantCulture, $"{context.Response.StatusCode} done");
        log.Changed(caller.Uid, caller.Pid, VtepConfigRules.Escape(request.Method), VtepConfigRules.Escape(request.Path + request.QueryString),
            VtepConfigRules.Escape(outcome));
    }

    private bool MayLogDenial()
    {
        long minute = Environment.TickCount64 / 60_000;
        lock (_lock)
        {
            _denials = minute == _minute ? _denials + 1 : 1;
            _minute = minute;
            return _denials <= MostDenials;
        }
    }

    private static byte[] TooMany()
    {
        var problem = new ControlProblem("Too many connections", StatusCodes.Status503ServiceUnavailable,
            "This vtep has as many connections as it takes; close some, or try again.");
        string body = JsonSerializer.Serialize(problem, ControlJson.Default.ControlProblem);
        return Encoding.ASCII.GetBytes("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n{body}"));
    }
}
