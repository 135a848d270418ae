// Metrics sent to an OpenTelemetry collector (OTLP), when control.otlp names one; without it nothing of the SDK is started. Every 15 seconds the SDK
// reads the same instruments as /metrics does. An endpoint with a path gets OTLP over HTTP there, one without gets gRPC. What the collector
// doesn't take is lost, and nothing else happens: counters are cumulative, so the next reading has it all.
//
// The SDK never takes the place of a label set back (see MetricsReader); it has room for four times the budget of each
// instrument, after that new peers are summed into one series until the program is started anew.

using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>Pushes metrics to a collector.</summary>
internal static class OtlpPush
{
    /// <summary>Milliseconds between two readings.</summary>
    public const int Interval = 15_000;

    private const int Timeout = 5_000;
    private const int CardinalityLimit = 4 * SeriesBudget.Total;

    /// <summary>Starts pushing, until it is disposed of, which pushes once more; null without a collector.</summary>
    public static MeterProvider? Start(Uri? collector, int interval = Interval)
    {
        if (collector is null)
            return null;
        return Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("vtep", serviceVersion: DaemonHost.Version, serviceInstanceId: Environment.MachineName))
            .AddMeter(VtepMetrics.MeterName, DirectoryMetrics.MeterName, ProgramMetrics.MeterName)
            .AddView(_ => new MetricStreamConfiguration { CardinalityLimit = CardinalityLimit })
            .AddOtlpExporter((exporter, reader) =>
            {
                exporter.Endpoint = collector;
                exporter.Protocol = collector.AbsolutePath == "/" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
                exporter.TimeoutMilliseconds = Timeout;
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = interval;
                reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = Timeout;
            })
            .Build();
    }
}
