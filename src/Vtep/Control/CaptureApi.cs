// The part of the control API by which frames are seen.
//
//   POST   /v1/capture   { "id": "a1", "vni": 100, "peer": "198.18.0.2", "port": "tap-blue", "drops": false, "filter": "arp", "snapLength": 96, "limit": 1000 }
//                        answers with pcapng for as long as the capture runs: until "limit" frames, until it is ended, or until the client leaves
//   GET    /v1/capture   the captures that run
//   DELETE /v1/capture?id=a1     ends one: what waits is still written, then the statistics that end the file
//   GET    /v1/explain?vni=100&frame=HEX[&port=tap-blue|&from=198.18.0.2][&tos=0]    what would happen to a frame
//
// A capture shows what the stations of a segment say to each other, so it takes the right to change, and is a line in the log. An
// explanation shows tables only.
//
// The answer is written by a thread of the pool, as fast as the client reads: what doesn't fit into the capture's room meanwhile is lost to the capture and
// counted in it. Lanes never wait.

using System.Collections.Concurrent;
using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Diagnostics.Explain;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

[Description("What is asked for when a capture is started. All that is given must hold for a frame.")]
internal sealed record CaptureRequest(
    [property: Description("Names the capture, for ending it; 1 to 64 letters, digits and hyphens.")] string Id,
    [property: Description("Frames of this VNI.")] Vni? Vni = null,
    [property: Description("Frames from or to this VTEP or group.")] InetAddress? Peer = null,
    [property: Description("Frames from or to this port.")] string? Port = null,
    [property: Description("Dropped frames only.")] bool Drops = false,
    [property: Description("Frames that pass this filter, in a part of the language of pcap-filter(7).")] string? Filter = null,
    [property: Description("Bytes of each frame that are kept, 1 to 262144.")] int? SnapLength = null,
    [property: Description("Frames after which the capture ends.")] long? Limit = null);

[Description("A capture that runs.")]
internal sealed record CaptureStatus(
    [property: Description("What it was named.")] string Id,
    [property: Description("What it sees, in words.")] string Sees,
    [property: Description("Frames written.")] long Frames,
    [property: Description("Frames lost to it, its reader being slow.")] long Lost);

[Description("One step on a frame's way.")]
internal sealed record ExplainedStep(
    [property: Description("Its kind.")] string Step,
    [property: Description("A sentence.")] string Text);

[Description("One thing that would become of a frame.")]
internal sealed record ExplainedOutcome(
    [property: Description("sent, dropped, or originated: made by the VTEP in answer.")] string Verdict,
    [property: Description("Why it would be dropped.")] DropReason? Reason,
    [property: Description("The port it would go to.")] string? Port,
    [property: Description("The VTEP or group it would go to.")] VtepEndpoint? Remote,
    [property: Description("The Ethernet frame as it would leave, in hexadecimal.")] string Frame,
    [property: Description("The outer IP packet as it would be sent, in hexadecimal.")] string? Outer);

[Description("What would happen to a frame now.")]
internal sealed record Explained(
    [property: Description("The VNI.")] Vni Vni,
    [property: Description("The bridge domain; null: there is none with this VNI.")] string? Domain,
    [property: Description("Step by step.")] IReadOnlyList<ExplainedStep> Steps,
    [property: Description("What would become of it; nothing yet where a controller would be asked first.")] IReadOnlyList<ExplainedOutcome> Outcomes);

/// <summary>The routes about seeing frames.</summary>
internal sealed class CaptureApi(DataPlane dataPlane)
{
    /// <summary>What a capture is answered with.</summary>
    public const string PcapngType = "application/x-pcapng";

    /// <summary>Bytes of a frame that can be asked about: jumbo frames, and what fits a request line.</summary>
    public const int LongestFrame = 9216 + 18;

    private const int LongestId = 64;
    private const int WrittenAtOnce = 256 << 10;

    // A lane's room holds far longer, at any rate a lane can forward.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, CaptureSession> _running = new(StringComparer.Ordinal);

    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        ControlRoute.Get("/v1/capture", "The captures that run.", ControlJson.Default.IReadOnlyListCaptureStatus, Running),
        new(HttpMethods.Post, "/v1/capture", "Capture frames, as pcapng, until ended.", Capture)
        {
            Request = ControlJson.Default.CaptureRequest,
            AnswerText = PcapngType,
        },
        new(HttpMethods.Delete, "/v1/capture", "End a capture.", End)
        {
            Query = [new("id", ControlJson.Default.String, "What it was named.", Required: true)],
        },
        new(HttpMethods.Get, "/v1/explain", "What would happen to a frame now, step by step; nothing happens to it.", Explain)
        {
            Query =
            [
                new("vni", ControlJson.Default.Vni, "The VNI.", Required: true),
                new("frame", ControlJson.Default.String, "The Ethernet frame in hexadecimal, from the destination MAC on, without frame check sequence.", Required: true),
                new("port", ControlJson.Default.String, "The port it would come from; otherwise the domain's first."),
                new("from", ControlJson.Default.InetAddress, "The VTEP it would come from, instead of a port."),
                new("tos", ControlJson.Default.String, "Of a frame from a VTEP: the outer TOS or traffic class, 0 to 255."),
            ],
            Answer = ControlJson.Default.Explained,
        },
    ];

    private IReadOnlyList<CaptureStatus> Running() =>
        [.. _running.OrderBy(running => running.Key, StringComparer.Ordinal).Select(running => new CaptureStatus(
            running.Key, Words(running.Value.Filter), running.Value.Read, running.Value.Lost))];

    private static string Words(CaptureFilter filter)
    {
        string[] words =
        [
            filter.Vni is { } vni ? $"VNI {vni}" : "", filter.Peer is { } peer ? $"peer {peer}" : "", filter.Port is { } port ? $"port {port}" : "",
            filter.DropsOnly ? "drops" : "", filter.Expression?.ToString() ?? "",
        ];
        string all = string.Join(", ", words.Where(word => word.Length > 0));
        return all.Length > 0 ? VtepConfigRules.Escape(all) : "everything";
    }

    private async Task Capture(HttpContext context)
    {
        if (await Answers.ReadAsync(context, ControlJson.Default.CaptureRequest) is not { } request)
            return;
        if (Filter(request, out string whyNot) is not { } filter)
        {
            await Answers.BadRequest(context, whyNot);
            return;
        }

        CaptureSession? session = Start(request.Id, filter, out whyNot);
        if (session is null)
        {
            await Answers.Outcome(context, whyNot);
            return;
        }

        try
        {
            await Write(context, session, request.Limit ?? long.MaxValue);
        }
        finally
        {
            session.Dispose();
            _running.TryRemove(request.Id, out _);
        }
    }

    private static CaptureFilter? Filter(CaptureRequest request, out string whyNot)
    {
        whyNot = "";
        FrameExpression? expression = null;
        if (request.Id.Length is 0 or > LongestId || !request.Id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            whyNot = $"The id {VtepConfigRules.Quote(request.Id)} is no name for a capture; write 1 to {LongestId} letters, digits and hyphens.";
        else if (request.Filter is not null && !FrameExpression.TryParse(request.Filter, out expression, out string? problem))
            whyNot = problem!;
        else if (request.SnapLength is < 1 or > CaptureFilter.DefaultSnapLength)
            whyNot = $"A snapshot length of {request.SnapLength} is out of range; it must be 1 to {CaptureFilter.DefaultSnapLength}.";
        else if (request.Limit is < 1)
            whyNot = $"A limit of {request.Limit} frames is out of range; it must be 1 or more.";
        return whyNot.Length > 0 ? null : new CaptureFilter
        {
            Vni = request.Vni,
            Peer = request.Peer,
            Port = request.Port,
            DropsOnly = request.Drops,
            Expression = expression,
            SnapLength = request.SnapLength ?? CaptureFilter.DefaultSnapLength,
        };
    }

    private CaptureSession? Start(string id, CaptureFilter filter, out string whyNot)
    {
        CaptureSession session;
        try
        {
            session = dataPlane.Vtep.StartCapture(filter);
        }
        catch (VtepException refused)
        {
            whyNot = refused.Message;
            return null;
        }

        whyNot = $"A capture {id} runs already; choose another id, or end that one.";
        if (_running.TryAdd(id, session))
            return session;
        session.Dispose();
        return null;
    }

    private async Task Write(HttpContext context, CaptureSession session, long limit)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        context.Features.Get<IHttpMinResponseDataRateFeature>()!.MinDataRate = null; // who reads slowly loses capture, not the connection
        context.Response.ContentType = PcapngType;
        var writer = new CaptureWriter(session, dataPlane.Vtep.Lanes.Count, context.Response.BodyWriter, $"vtep {DaemonHost.Version}");
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        while (writer.Packets < limit && !context.RequestAborted.IsCancellationRequested)
        {
            bool isEnded = session.IsEnded || stop.IsCancellationRequested; // before the last look
            if (writer.Write(WrittenAtOnce, limit - writer.Packets) > 0)
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            else if (isEnded)
                break;
            else
                await Task.Delay(s_pause, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        session.Dispose(); // nothing is lost any more
        writer.End();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private Task End(HttpContext context)
    {
        string id = context.Request.Query["id"].ToString();
        if (!_running.TryGetValue(id, out CaptureSession? session))
            return Answers.Outcome(context, $"No capture {VtepConfigRules.Quote(id)} runs.");
        session.Dispose();
        return Answers.Outcome(context, null);
    }

    private Task Explain(HttpContext context)
    {
        if (Question(context.Request.Query, out string whyNot) is not { } question)
            return Answers.BadRequest(context, whyNot);
        try
        {
            Explanation explanation = dataPlane.Vtep.Explain(question, dataPlane.Now());
            return context.Response.WriteAsJsonAsync(Shown(explanation), ControlJson.Default.Explained);
        }
        catch (VtepException impossible)
        {
            return Answers.BadRequest(context, impossible.Message);
        }
    }

    private static FrameQuestion? Question(IQueryCollection query, out string whyNot)
    {
        string hex = query["frame"].ToString();
        string? from = query["from"], tos = query["tos"];
        InetAddress sender = default;
        byte trafficClass = 0;
        whyNot = !Vni.TryParse(query["vni"], out Vni vni) ? Answers.NoVni(query["vni"].ToString())
            : hex.Length > 2 * LongestFrame ? $"The frame has {hex.Length / 2} bytes; at most {LongestFrame} can be asked about."
            : hex.Length % 2 != 0 || !hex.All(char.IsAsciiHexDigit) ? "The frame isn't hexadecimal: write two digits a byte and nothing between them."
            : from is not null && !InetAddress.TryParse(from, out sender) ? $"{VtepConfigRules.Quote(from)} is no IP address."
            : from is not null && query.ContainsKey("port") ? "A frame comes from a port or from a VTEP; give one of port and from."
            : tos is not null && !byte.TryParse(tos, NumberStyles.None, CultureInfo.InvariantCulture, out trafficClass) ? $"{VtepConfigRules.Quote(tos)} is no TOS; write a number from 0 to 255."
            : "";
        return whyNot.Length > 0 ? null : new FrameQuestion
        {
            Vni = vni,
            Frame = Convert.FromHexString(hex),
            Port = query["port"],
            From = from is null ? null : sender,
            OuterTrafficClass = trafficClass,
        };
    }

    private static Explained Shown(Explanation explanation) => new(
        explanation.Vni, explanation.Domain, [.. explanation.Steps.Select(step => new ExplainedStep(step.Step, step.Text))],
        [.. explanation.Outcomes.Select(outcome => new ExplainedOutcome(
            outcome.Verdict.Name(), outcome.Reason == DropReason.None ? null : outcome.Reason, outcome.Port, outcome.Remote,
            Convert.ToHexStringLower(outcome.Frame.Span), outcome.Outer.IsEmpty ? null : Convert.ToHexStringLower(outcome.Outer.Span)))]);
}
