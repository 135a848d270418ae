// The door of control.http. What comes over TCP is answered here, from one list of routes, and before anything else: a connection is the control
// socket's only if it is a unix socket's, so no route that is added there later can be reached by mistake. Every route is a GET.
//
// Nobody is asked who they are, and a browser of this machine can be made to ask by any page it shows. So:
//
// * A name that resolves to a local address (DNS rebinding) comes as Host: names are refused, "localhost" apart, which is nobody's.
// * A page of elsewhere that loads, frames or fetches from here is known by Sec-Fetch-Site (Fetch Metadata, W3C): refused, unless somebody
//   followed a link to here. A browser that is too old to say is held off by the same origin policy alone; curl and Prometheus say nothing.

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Control;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>Answers what came over TCP.</summary>
/// <param name="routes">All there is.</param>
internal sealed class TcpDoor(IReadOnlyList<ControlRoute> routes)
{
    /// <summary>Where the dashboard is, if it is.</summary>
    public const string DashboardPath = "/";

    /// <summary>In front of everything.</summary>
    public Task SeparateAsync(HttpContext context, RequestDelegate next) => IsControlSocket(context) ? next(context) : AnswerAsync(context);

    private static bool IsControlSocket(HttpContext context) =>
        context.Features.Get<IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix;

    private Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!IsOurs(request.Host.Host))
        {
            return Answers.Fail(context, StatusCodes.Status421MisdirectedRequest, "Misdirected request",
                $"{VtepConfigRules.Quote(request.Host.Host)} is no IP address: ask for this host by its address, or as localhost.");
        }

        if (IsOfAnotherSite(request.Headers))
            return Answers.Fail(context, StatusCodes.Status403Forbidden, "Not allowed", "A page of another site asked for this; open it by its own address.");
        ControlRoute? route = routes.FirstOrDefault(route => route.Method == request.Method && request.Path.Equals(route.Path, StringComparison.Ordinal));
        return route is null ? NotFound(context) : route.Handle(context);
    }

    private static bool IsOurs(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.AsSpan().Trim("[]"), out _);

    private static bool IsOfAnotherSite(IHeaderDictionary headers) =>
        headers["Sec-Fetch-Site"].ToString() is not ("" or "none" or "same-origin")
        && (headers["Sec-Fetch-Mode"].ToString(), headers["Sec-Fetch-Dest"].ToString()) is not ("navigate", "document");

    private Task NotFound(HttpContext context)
    {
        string[] known = [.. routes.Where(route => !route.IsPartOfPage).Select(route => $"{route.Method} {route.Path}")];
        string dashboard = context.Request.Path == DashboardPath ? " The dashboard is off; \"dashboard\": true in the configuration's control turns it on." : "";
        return Answers.Fail(context, StatusCodes.Status404NotFound, "Not found",
            $"There is no {VtepConfigRules.Escape(context.Request.Method)} {VtepConfigRules.Quote(context.Request.Path)} here: over TCP there are "
            + $"{string.Join(", ", known[..^1])} and {known[^1]}, the rest is on the unix socket.{dashboard}");
    }
}
