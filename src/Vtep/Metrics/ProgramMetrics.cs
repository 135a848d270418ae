// What the program knows of itself: its version, and whether its data plane moves.

using System.Diagnostics.Metrics;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>The meter of the program.</summary>
internal sealed class ProgramMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "VtepDataPlane.Daemon";

    private readonly Meter _meter;

    public ProgramMetrics(DataPlane dataPlane)
    {
        _meter = new Meter(new MeterOptions(MeterName) { Scope = this });
        _meter.CreateObservableGauge(
            "vtep.build_info", () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", DaemonHost.Version)), null, "Always 1; the version is a label.");
        _meter.CreateObservableGauge(
            "vtep.healthy", () => dataPlane.FindStall() is null ? 1 : 0, null, "1: every worker and the control loop move; 0: one stands still, see /healthz.");
        _meter.CreateObservableCounter("vtep.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time of the process.");
        _meter.CreateObservableGauge("vtep.resident_memory", () => Environment.WorkingSet, "By", "Memory of the process.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
