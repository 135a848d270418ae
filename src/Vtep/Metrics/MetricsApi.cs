// GET /metrics and GET /healthz: on the control socket, and over TCP where control.http says so.

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

    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        new(HttpMethods.Get, MetricsPath, "Metrics, for Prometheus; as OpenMetrics to who accepts that.", GetMetrics) { AnswerText = MetricsText.PlainType },
        new(HttpMethods.Get, HealthPath, "200 while every thread moves; 503 and what stands still otherwise.", GetHealth) { AnswerText = HealthType },
    ];

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
