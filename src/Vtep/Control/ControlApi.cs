// The control API: HTTP over a unix socket, nothing over TCP.
//
//   GET    /v1/status  /v1/domains  /v1/ports  /v1/peers  /v1/fdb[?vni=N]  /v1/neighbors  /v1/counters
//   POST   /v1/fdb      { "vni": 100, "mac": "02:...", "vtep": "198.18.0.2" | "port": "tap-blue", "replace": false }
//   DELETE /v1/fdb?vni=100&mac=02:...[&vtep=198.18.0.2]
//   /v1/capture  /v1/explain    see CaptureApi
//   /v1/directory...    see DirectoryApi
//   /v1/config... /v1/reload    see ConfigApi
//   GET    /metrics  /healthz   see MetricsApi
//   GET    /openapi.json  all of it as an OpenAPI document, made of the same table as the endpoints
//
// Answers are the snapshot records as JSON; 204 when there is nothing to say; errors are problem JSON (RFC 9457) whose "detail"
// is a sentence. Handlers are plain request delegates: no binding by reflection. They run on thread pool threads and never touch
// the frame path. Requests are bounded in number, size and time; who may ask what, see ControlDoor.

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>The routes of the control API.</summary>
/// <param name="dataPlane">What is shown and changed.</param>
/// <param name="config">The routes about the configuration.</param>
/// <param name="metrics">The routes about metrics and health.</param>
internal sealed class ControlApi(DataPlane dataPlane, ConfigApi config, MetricsApi metrics)
{
    /// <summary>Bytes a request body may have. What can be said needs less than 1 KiB.</summary>
    public const int MaxRequestBody = 16 << 10;

    /// <summary>Bytes of a larger body that are read all the same, so that who sends it gets to hear why it isn't taken.</summary>
    public const int MostRead = 2 << 20;

    /// <summary>For how long a client may take over saying what it wants, and over saying nothing.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CaptureApi _captures = new(dataPlane);
    private byte[]? _document;

    private Vtep Vtep => dataPlane.Vtep;

    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        ControlRoute.Get("/v1/status", "The VTEP as a whole.", ControlJson.Default.VtepSnapshot, () => Vtep.Status()),
        ControlRoute.Get("/v1/domains", "Bridge domains.", ControlJson.Default.IReadOnlyListDomainSnapshot, Vtep.Domains),
        ControlRoute.Get("/v1/ports", "Access ports.", ControlJson.Default.IReadOnlyListPortSnapshot, Vtep.Ports),
        ControlRoute.Get("/v1/peers", "Other VTEPs, configured and learned.", ControlJson.Default.IReadOnlyListPeerSnapshot, () => Vtep.Peers(dataPlane.Now())),
        ControlRoute.Get("/v1/neighbors", "IP addresses of stations.", ControlJson.Default.IReadOnlyListNeighborSnapshot, Vtep.Neighbors),
        ControlRoute.Get("/v1/counters", "Every frame that came in, and what became of it.", ControlJson.Default.CounterSnapshot, Vtep.Counters),
        new(HttpMethods.Get, "/v1/fdb", "The forwarding database.", GetFdb)
        {
            Query = [new("vni", ControlJson.Default.Vni, "Of this domain only.")],
            Answer = ControlJson.Default.IReadOnlyListFdbSnapshot,
        },
        new(HttpMethods.Post, "/v1/fdb", "Add an entry that is never learned over and never ages.", AddFdb) { Request = ControlJson.Default.FdbRequest },
        new(HttpMethods.Delete, "/v1/fdb", "Delete an entry, static or learned.", DeleteFdb)
        {
            Query =
            [
                new("vni", ControlJson.Default.Vni, "The domain.", Required: true),
                new("mac", ControlJson.Default.MacAddress, "The station; all zeros: the flood list.", Required: true),
                new("vtep", ControlJson.Default.String, "With all zeros: the VTEP to take off the flood list."),
            ],
        },
        .. _captures.Routes,
        .. new DirectoryApi(dataPlane).Routes,
        .. config.Routes,
        .. metrics.Routes,
        new(HttpMethods.Get, ControlRoute.DocumentPath, "This document.", Document) { Answer = ControlJson.Default.JsonObject },
    ];

    public void Map(IEndpointRouteBuilder endpoints) => ControlRoute.Map(endpoints, Routes);

    // Made at the first request: describing every type takes longer than a start may.
    private Task Document(HttpContext context)
    {
        _document ??= ControlDocument.Write(Routes);
        return Answers.Json(context, _document);
    }

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


    private bool TryEndpoint(string? text, out VtepEndpoint? endpoint)
    {
        bool ok = EndpointText.TryParse(text ?? "", Vtep.Config.Underlay.Port, out VtepEndpoint parsed);
        endpoint = ok ? parsed : null;
        return ok || text is null;
    }
}
