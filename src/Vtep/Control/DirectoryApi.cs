// The part of the control API that is about controllers.
//
//   GET    /v1/directory                   what the controllers said, and who won
//   GET    /v1/directory/diff              what their stores say now against what the data plane does
//   POST   /v1/directory/release           { "controller": "main" | null }   take this node's records out of the store
//   POST   /v1/directory/accept            { "controller": "main" | null }   believe a snapshot that lost many VTEPs
//   POST   /v1/directory                   { "node": "h9", "vtep": "198.18.0.9", "vni": 100, "mac": "02:...", "ip": "198.19.0.9" }
//   DELETE /v1/directory?node=h9[&controller=main][&vtep=any][&vni=100][&mac=02:...][&ip=198.19.0.9]
//
// A store may take its time: whatever waits for one ends when the client leaves, or after StoreTime.

using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Discovery;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>The routes about controllers.</summary>
internal sealed class DirectoryApi(DataPlane dataPlane)
{
    private const string Slow = "The store doesn't answer in time; see vtep show status, and try again.";

    /// <summary>How long a store may take: less than a command waits for the daemon.</summary>
    public static readonly TimeSpan StoreTime = TimeSpan.FromSeconds(15);

    private Vtep Vtep => dataPlane.Vtep;

    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        ControlRoute.Get("/v1/directory", "What the controllers said, and who won.", ControlJson.Default.DirectoryContentSnapshot,
            () => Vtep.Directory(dataPlane.Now())),
        new(HttpMethods.Get, "/v1/directory/diff", "What the controllers' stores say now against what the data plane does.", Diff)
        {
            Answer = ControlJson.Default.IReadOnlyListDirectoryDifference,
        },
        new(HttpMethods.Post, "/v1/directory/release", "Take this node's records out of the store.", Release) { Request = ControlJson.Default.ControllerRequest },
        new(HttpMethods.Post, "/v1/directory/accept", "Believe a snapshot that lost many VTEPs.", Accept) { Request = ControlJson.Default.ControllerRequest },
        new(HttpMethods.Post, "/v1/directory", "Write records of a node that can't publish.", Add) { Request = ControlJson.Default.DirectoryRequest },
        new(HttpMethods.Delete, "/v1/directory", "Delete records of a node.", Delete)
        {
            Query =
            [
                new("node", ControlJson.Default.String, "The node.", Required: true),
                new("controller", ControlJson.Default.String, "In which controller; needed where there are several."),
                new("vtep", ControlJson.Default.String, "Anything: the record that says where the node's VTEP is."),
                new("vni", ControlJson.Default.Vni, "The domain; alone: what is flooded there no longer goes to the node."),
                new("mac", ControlJson.Default.MacAddress, "A station of the node."),
                new("ip", ControlJson.Default.InetAddress, "The station's address."),
            ],
        },
    ];

    private async Task Diff(HttpContext context)
    {
        using CancellationTokenSource stop = Limited(context);
        try
        {
            await context.Response.WriteAsJsonAsync(await Vtep.DiffAsync(stop.Token), ControlJson.Default.IReadOnlyListDirectoryDifference);
        }
        catch (VtepException away)
        {
            await Answers.Fail(context, StatusCodes.Status503ServiceUnavailable, "Store away", away.Message);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await Answers.Fail(context, StatusCodes.Status503ServiceUnavailable, "Store away", Slow);
        }
    }

    private async Task Release(HttpContext context)
    {
        if (await Answers.ReadAsync(context, ControlJson.Default.ControllerRequest) is not { } request)
            return;
        if (TryFind(request.Controller, out string? name, out string whyNot))
            await Ask(context, stop => Vtep.ReleaseAsync(name, stop));
        else
            await Answers.BadRequest(context, whyNot);
    }

    private async Task Accept(HttpContext context)
    {
        if (await Answers.ReadAsync(context, ControlJson.Default.ControllerRequest) is not { } request)
            return;
        if (TryFind(request.Controller, out string? name, out string whyNot))
            await Answers.Outcome(context, Vtep.AcceptShrink(name));
        else
            await Answers.BadRequest(context, whyNot);
    }

    private async Task Add(HttpContext context)
    {
        if (await Answers.ReadAsync(context, ControlJson.Default.DirectoryRequest) is not { } request)
            return;
        IReadOnlyList<DirectoryChange>? changes = request.Additions(Vtep.Config.Underlay.Port, out string whyNot);
        await Write(context, request.Controller, changes, whyNot);
    }

    private async Task Delete(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        Vni vni = default;
        MacAddress mac = default;
        string? number = query["vni"];
        string? station = query["mac"];
        if (number is not null && !Vni.TryParse(number, out vni))
        {
            await Answers.BadRequest(context, Answers.NoVni(number));
        }
        else if (station is not null && !MacAddress.TryParse(station, out mac))
        {
            await Answers.BadRequest(context, Answers.NoMac(station));
        }
        else
        {
            var request = new DirectoryRequest(query["node"].ToString(), query["controller"], query["vtep"], number is null ? null : vni,
                station is null ? null : mac, query["ip"]);
            IReadOnlyList<DirectoryChange>? changes = request.Removals(out string whyNot);
            await Write(context, request.Controller, changes, whyNot);
        }
    }

    private async Task Write(HttpContext context, string? controller, IReadOnlyList<DirectoryChange>? changes, string whyNot)
    {
        if (changes is null || !TryFind(controller, out string? name, out whyNot))
            await Answers.BadRequest(context, whyNot);
        else
            await Ask(context, stop => WriteAll(name, changes, stop));
    }

    // One after the other: what can't be written ends it, and saying so beats going on.
    private async Task<string?> WriteAll(string name, IReadOnlyList<DirectoryChange> changes, CancellationToken stop)
    {
        foreach (DirectoryChange change in changes)
        {
            if (await Vtep.WriteAsync(name, change, stop) is { } refused)
                return refused;
        }

        return null;
    }

    private static async Task Ask(HttpContext context, Func<CancellationToken, Task<string?>> ask)
    {
        using CancellationTokenSource stop = Limited(context);
        string? whyNot;
        try
        {
            whyNot = await ask(stop.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            whyNot = Slow;
        }

        await Answers.Outcome(context, whyNot);
    }

    private static CancellationTokenSource Limited(HttpContext context)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        stop.CancelAfter(StoreTime);
        return stop;
    }

    private bool TryFind(string? wanted, [NotNullWhen(true)] out string? name, out string whyNot) =>
        TryFind(Vtep.Config.Controllers, wanted, out name, out whyNot);

    /// <summary>The controller that is meant: the one by that name, or the only one.</summary>
    internal static bool TryFind(IReadOnlyList<ControllerConfig> controllers, string? wanted, [NotNullWhen(true)] out string? name, out string whyNot)
    {
        string all = string.Join(", ", controllers.Select(controller => controller.Name));
        name = wanted is null && controllers.Count == 1 ? controllers[0].Name
            : controllers.FirstOrDefault(controller => controller.Name == wanted)?.Name;
        whyNot = name is not null ? ""
            : controllers.Count == 0 ? "There is no controller; describe one in \"controllers\" of the configuration."
            : wanted is null ? $"There are several controllers; say which one is meant with --controller: {all}."
            : $"There is no controller {VtepConfigRules.Quote(wanted)}; the controllers are {all}.";
        return name is not null;
    }
}
