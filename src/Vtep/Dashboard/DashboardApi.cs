// The dashboard, over TCP where control.dashboard asks for it (TcpDoor lets in and keeps out):
//
//   GET /                           the page; what it is made of is beside it, under /dashboard
//   GET /dashboard/state            what changes from second to second (DashboardState)
//   GET /dashboard/fdb?find=WORDS   what is found in the FDB (FdbSearch), the first 500 of it
//   GET /dashboard/reasons          what each drop reason means
//
// The page is a handful of files embedded as they are, without a build step. It loads nothing from anywhere else, and its content security policy
// says so to the browser: scripts and styles come from here as files, never out of a page's text, so a name that looks like HTML stays a name.
//
// Thread pool threads; nothing here touches the frame path. What it may cost, see StateReader and PollCost.

using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Dashboard;

/// <summary>The routes of the dashboard.</summary>
internal sealed class DashboardApi(DataPlane dataPlane, TimeProvider time)
{
    /// <summary>FDB entries that are told at most.</summary>
    public const int MostEntries = 500;

    /// <summary>Characters a search may have.</summary>
    public const int LongestSearch = 200;

    /// <summary>Says with a search how many milliseconds to wait before asking again.</summary>
    public const string NextHeader = "Vtep-Next";

    private const string PageFile = "index.html";
    private const string Prefix = "/dashboard/";

    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly string[] s_files = ["style.css", "page.js", "history.js", "plot.js", "topology.js", "tables.js", "text.js", "icon.svg"];

    private readonly StateReader _state = new(dataPlane, time);
    private readonly PollCost _searches = new();

    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        new(HttpMethods.Get, TcpDoor.DashboardPath, "The dashboard.", context => ShowFile(context, PageFile)),
        Part("state", "What changes from second to second.", context => Show(context, _state.Read())),
        Part("fdb", "What is found in the FDB.", Find),
        Part("reasons", "What each drop reason means.", context => Show(context, Reasons())),
        .. s_files.Select(name => Part(name, "A part of the page.", context => ShowFile(context, name))),
    ];

    private static ControlRoute Part(string name, string summary, RequestDelegate handle) => new(HttpMethods.Get, Prefix + name, summary, handle) { IsPartOfPage = true };

    private Task Find(HttpContext context)
    {
        string words = context.Request.Query["find"].ToString();
        if (words.Length > LongestSearch)
        {
            Protect(context.Response);
            return Answers.BadRequest(context, $"The search has {words.Length} characters; it may have {LongestSearch}.");
        }

        FdbPage page;
        lock (_searches) // one walk at a time, whoever asks
        {
            page = _searches.Measure(() => dataPlane.Vtep.FindFdb(dataPlane.Now(), words, MostEntries));
            context.Response.Headers[NextHeader] = _searches.NextMilliseconds.ToString(CultureInfo.InvariantCulture);
        }

        return Show(context, JsonSerializer.SerializeToUtf8Bytes(page, DashboardJson.Default.FdbPage));
    }

    private static byte[] Reasons()
    {
        Dictionary<string, string> said = EmbeddedDescriptions.Read().ToDictionary();
        Dictionary<string, string> reasons = [];
        foreach (DropReason reason in DropReasonText.All)
            reasons[reason.Name()] = said[$"F:{typeof(DropReason).FullName}.{reason}"];
        return JsonSerializer.SerializeToUtf8Bytes(reasons, DashboardJson.Default.IReadOnlyDictionaryStringString);
    }

    private static Task Show(HttpContext context, ReadOnlyMemory<byte> json)
    {
        Protect(context.Response);
        return Answers.Json(context, json);
    }

    private static async Task ShowFile(HttpContext context, string name)
    {
        Protect(context.Response);
        context.Response.ContentType = Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        };
        await using Stream file = typeof(DashboardApi).Assembly.GetManifestResourceStream("dashboard/" + name)
            ?? throw new InvalidOperationException($"The build lacks the dashboard's {name}.");
        context.Response.ContentLength = file.Length;
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static void Protect(HttpResponse response)
    {
        IHeaderDictionary headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
    }
}
