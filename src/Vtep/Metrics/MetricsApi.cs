// GET /metrics and GET /healthz: on the control socket, and over TCP where control.http says so.
//
// Over TCP there is nothing else, whoever asks. A connection is the control socket's only if it is a unix socket's: everything else is answered here,
// before routing, so no route that is added later can be reached by mistake. A browser can be led to a local address by a name
// that resolves to it (DNS rebinding); it then sends that name as Host. So names are refused, "localhost" apart, which is nobody's.

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>Metrics and health over HTTP.</summary>
/// <param name="reader">The metrics.</param>
/// <param name="dataPlane">Whose health it is.</param>
internal sealed class MetricsApi(MetricsReader reader, DataPlane dataPlane)
{
    private const string MetricsPath = "/metrics";
    private const string HealthPath = "/healthz";
    private const string HealthType = "text/plain; charset=utf-8";

    /// <summary>On the control socket.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        new(HttpMethods.Get, MetricsPath, "Metrics, for Prometheus; as OpenMetrics to who accepts that.", GetMetrics) { AnswerText = MetricsText.PlainType },
        new(HttpMethods.Get, HealthPath, "200 while every thread moves; 503 and what stands still otherwise.", GetHealth) { AnswerText = HealthType },
    ];

    /// <summary>In front of everything: what came over TCP is answered here.</summary>
    public Task SeparateTcp(HttpContext context, RequestDelegate next) => IsControlSocket(context) ? next(context) : ServeTcp(context);

    private static bool IsControlSocket(HttpContext context) =>
        context.Features.Get<IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix;

    private Task ServeTcp(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!IsOurs(request.Host.Host))
            return Answers.Fail(context, StatusCodes.Status421MisdirectedRequest, "Misdirected request",
                $"{VtepConfigRules.Quote(request.Host.Host)} is no IP address: ask for this host by its address, or as localhost.");
        bool isGet = HttpMethods.IsGet(request.Method);
        if (isGet && request.Path.Equals(MetricsPath, StringComparison.Ordinal))
            return GetMetrics(context);
        if (isGet && request.Path.Equals(HealthPath, StringComparison.Ordinal))
            return GetHealth(context);
        return Answers.Fail(context, StatusCodes.Status404NotFound, "Not found",
            $"There is no {VtepConfigRules.Escape(request.Method)} {VtepConfigRules.Quote(request.Path)} here: over TCP there are GET {MetricsPath} and GET {HealthPath}, the rest is on the unix socket.");
    }

    private static bool IsOurs(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.AsSpan().Trim("[]"), out _);

    private async Task GetMetrics(HttpContext context)
    {
        // The client names what it understands, with weights; who understands OpenMetrics gets it.
        bool isOpenMetrics = context.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        HttpResponse response = context.Response;
        response.ContentType = isOpenMetrics ? MetricsText.OpenMetricsType : MetricsText.PlainType;
        reader.Read(isOpenMetrics, bytes =>
        {
            response.ContentLength = bytes.Length;
            System.Buffers.BuffersExtensions.Write(response.BodyWriter, bytes);
        });
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private Task GetHealth(HttpContext context)
    {
        string? stall = dataPlane.FindStall();
        context.Response.StatusCode = stall is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = HealthType;
        return context.Response.WriteAsync((stall is null ? "ok" : VtepConfigRules.Escape(stall)) + "\n");
    }
}
