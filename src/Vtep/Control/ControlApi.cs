// The control API: HTTP over a unix socket, nothing over TCP.
//
//   GET    /v1/status  /v1/domains  /v1/ports  /v1/peers  /v1/fdb[?vni=N]  /v1/neighbors  /v1/counters
//   POST   /v1/fdb      { "vni": 100, "mac": "02:...", "vtep": "198.18.0.2" | "port": "tap-blue", "replace": false }
//   DELETE /v1/fdb?vni=100&mac=02:...[&vtep=198.18.0.2]
//   /v1/directory...    see DirectoryApi
//   /v1/config... /v1/reload    see ConfigApi
//
// Answers are the snapshot records as JSON; 204 when there is nothing to say; errors are problem JSON (RFC 9457) whose "detail"
// is a sentence. Handlers are plain request delegates: no binding by reflection. They run on thread pool threads and never touch
// the frame path. Requests are bounded in number, size and time.

using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>The routes of the control API.</summary>
/// <param name="dataPlane">What is shown and changed.</param>
internal sealed class ControlApi(DataPlane dataPlane)
{
    /// <summary>Bytes a request body may have. It must also arrive: the server gives up on one that trickles in.</summary>
    public const int MaxRequestBody = 4096;

    private Vtep Vtep => dataPlane.Vtep;

    public void Map(IEndpointRouteBuilder routes)
    {
        Get(routes, "/v1/status", ControlJson.Default.VtepSnapshot, () => Vtep.Status());
        Get(routes, "/v1/domains", ControlJson.Default.IReadOnlyListDomainSnapshot, Vtep.Domains);
        Get(routes, "/v1/ports", ControlJson.Default.IReadOnlyListPortSnapshot, Vtep.Ports);
        Get(routes, "/v1/peers", ControlJson.Default.IReadOnlyListPeerSnapshot, () => Vtep.Peers(dataPlane.Now()));
        Get(routes, "/v1/neighbors", ControlJson.Default.IReadOnlyListNeighborSnapshot, Vtep.Neighbors);
        Get(routes, "/v1/counters", ControlJson.Default.CounterSnapshot, Vtep.Counters);
        routes.MapGet("/v1/fdb", (RequestDelegate)GetFdb);
        routes.MapPost("/v1/fdb", (RequestDelegate)AddFdb);
        routes.MapDelete("/v1/fdb", (RequestDelegate)DeleteFdb);
        new DirectoryApi(dataPlane).Map(routes);
        routes.MapFallback((RequestDelegate)NotFound);
    }

    private static void Get<T>(IEndpointRouteBuilder routes, string path, JsonTypeInfo<T> type, Func<T> read) =>
        routes.MapGet(path, (RequestDelegate)(context => context.Response.WriteAsJsonAsync(read(), type)));

    private Task GetFdb(HttpContext context)
    {
        string? text = context.Request.Query["vni"];
        if (text is null)
            return context.Response.WriteAsJsonAsync(Vtep.Fdb(dataPlane.Now()), ControlJson.Default.IReadOnlyListFdbSnapshot);
        return Vni.TryParse(text, out Vni vni)
            ? context.Response.WriteAsJsonAsync(Vtep.Fdb(dataPlane.Now(), vni), ControlJson.Default.IReadOnlyListFdbSnapshot)
            : Answers.BadRequest(context, Answers.NoVni(text));
    }

    private async Task AddFdb(HttpContext context)
    {
        if (await Answers.ReadAsync(context, ControlJson.Default.FdbRequest) is not { } request)
            return;
        if (!TryEndpoint(request.Vtep, out VtepEndpoint? vtep))
            await Answers.BadRequest(context, EndpointText.Complaint(request.Vtep!) + ".");
        else
            await Answers.Outcome(context, Vtep.AddFdb(request.Vni, request.Mac, vtep, request.Port, request.Replace));
    }

    private Task DeleteFdb(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        string mac = query["mac"].ToString();
        string? remote = query["vtep"];
        if (!Vni.TryParse(query["vni"], out Vni vni))
            return Answers.BadRequest(context, Answers.NoVni(query["vni"].ToString()));
        if (!MacAddress.TryParse(mac, out MacAddress station))
            return Answers.BadRequest(context, Answers.NoMac(mac));
        return TryEndpoint(remote, out VtepEndpoint? vtep)
            ? Answers.Outcome(context, Vtep.DeleteFdb(vni, station, vtep)) : Answers.BadRequest(context, EndpointText.Complaint(remote!) + ".");
    }

    private static Task NotFound(HttpContext context) =>
        Answers.Fail(context, StatusCodes.Status404NotFound, "Not found",
            $"There is no {context.Request.Method} {VtepConfigRules.Quote(context.Request.Path)} here.");

    private bool TryEndpoint(string? text, out VtepEndpoint? endpoint)
    {
        bool ok = EndpointText.TryParse(text ?? "", Vtep.Config.Underlay.Port, out VtepEndpoint parsed);
        endpoint = ok ? parsed : null;
        return ok || text is null;
    }
}
