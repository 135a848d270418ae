// Collects what the instruments of one VTEP and of the program say, when somebody asks: a MeterListener that writes each measurement down as text
// the moment it comes. It keeps nothing between two readings, so a peer that is gone is gone here too.
//
// Why not the OpenTelemetry SDK with its Prometheus exporter, which was tried first (1.20.1-beta.1): the SDK never takes the place of a label set
// back. With a limit of 10 and 3 new peers a reading, the first 9 had series; everything later went into one series
// otel_metric_overflow="true" until the process is started anew. A VTEP lives for months, its peers come and go, and the budget
// (SeriesBudget) is kept where series are made, which the SDK would then ruin. It also took three times as long for 4,000 series, and gave each
// a label otel_scope_name. For OTLP, where its protocol is worth it, the SDK is used (OtlpPush).
//
// Any thread; one reading at a time.

using System.Diagnostics.Metrics;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>Reads all metrics as text.</summary>
internal sealed class MetricsReader : IDisposable
{
    private readonly Lock _gate = new();
    private readonly MetricsText _text = new();
    private readonly MeterListener _listener = new();
    private readonly Meter _meter;
    private readonly object[] _scopes;
    private Instrument? _family;
    private int _series;
    private int _omitted;

    /// <param name="scopes">The scopes of the meters that are read (see <see cref="MeterOptions.Scope"/>).</param>
    public MetricsReader(params object[] scopes)
    {
        _scopes = [this, .. scopes];
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.IsObservable && instrument.Meter.Scope is { } scope && _scopes.Contains(scope))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();

        // published last, and so read last: what the others had too many
        _meter = new Meter(new MeterOptions(ProgramMetrics.MeterName) { Scope = this });
        _meter.CreateObservableGauge("vtep.omitted_series", () => _omitted, "{series}", "Series left out of this text, beyond the bound of all.");
    }

    /// <summary>Reads everything.</summary>
    /// <param name="isOpenMetrics">OpenMetrics; otherwise Prometheus' own format.</param>
    /// <param name="use">Takes the text, which is overwritten by the next reading.</param>
    public void Read(bool isOpenMetrics, Action<ReadOnlySpan<byte>> use)
    {
        lock (_gate)
        {
            _family = null;
            _series = _omitted = 0;
            _text.Begin(isOpenMetrics);
            _listener.RecordObservableInstruments();
            _text.End();
            use(_text.Bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    private void Take(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (HasRoom(instrument))
            _text.Sample(value, tags);
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (HasRoom(instrument))
            _text.Sample(value, tags);
    }

    // the last place is the number of those left out
    private bool HasRoom(Instrument instrument)
    {
        if (_series >= SeriesBudget.Total - 1 && instrument.Meter != _meter)
        {
            _omitted++;
            return false;
        }

        _series++;
        if (_family != instrument)
            _text.Family(_family = instrument);
        return true;
    }
}
