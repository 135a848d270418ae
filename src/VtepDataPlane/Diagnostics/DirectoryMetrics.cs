// How the controllers are, for whoever collects metrics in this process (System.Diagnostics.Metrics: an OpenTelemetry exporter, dotnet-counters). Nothing is
// counted here and nothing waits: when somebody looks, the instruments read the report that the control loop published last, at most about a second
// ago. Tags are bounded: names of the configuration, kinds of records, reasons and causes out of fixed or bounded lists. Any thread.

using System.Diagnostics.Metrics;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Diagnostics;

/// <summary>The meter of a VTEP's controllers.</summary>
internal sealed class DirectoryMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "VtepDataPlane.Directory";

    private const string Prefix = "vtep.directory.";

    private readonly Meter _meter;
    private readonly Func<IReadOnlyList<ControllerSnapshot>> _read;

    /// <param name="scope">The meter's scope, by which listeners tell the meters of one VTEP from another's.</param>
    /// <param name="read">How the controllers are; called from any thread, must not wait.</param>
    public DirectoryMetrics(object scope, Func<IReadOnlyList<ControllerSnapshot>> read)
    {
        _meter = new Meter(new MeterOptions(MeterName) { Scope = scope });
        _read = read;
        Gauge("connected", null, "1: what is known is what the store says; 0: it is not.", snapshot => snapshot.State == "connected" ? 1 : 0);
        Gauge("last_event_age", "s", "Since the last word of the store.", snapshot => snapshot.LastEventSeconds);
        Gauge("backoff", "s", "Until the next attempt.", snapshot => snapshot.BackoffMilliseconds / 1000.0);
        Gauge("revision", null, "The store's revision, as far as it is known.", snapshot => snapshot.Revision);
        Gauge("stale", "{record}", "Records held that the store may not have any more.", snapshot => snapshot.Stale);
        Gauge("published", "{record}", "Records of this node that are wanted in the store.", snapshot => snapshot.Published);
        Gauge("publish_pending", "{record}", "Of these, changes not written yet.", snapshot => snapshot.PublishPending);
        Gauge("shrink_held", "{vtep}", "VTEPs a snapshot has lost at once and that are kept for now.", snapshot => snapshot.ShrinkHeld);
        Gauge("frozen", "{station}", "Stations that moved too often and are held where they are.", snapshot => snapshot.Frozen);
        _meter.CreateObservableGauge(Prefix + "records", () => Read("type", snapshot => Longs(snapshot.Records)), "{record}", "Records held.");
        Counter("rejected", "{record}", "Records not taken.", "reason", snapshot => snapshot.Rejected);
        Counter("resyncs", "{reading}", "Complete readings.", "cause", snapshot => snapshot.Resyncs);
        Counter("lookups", "{question}", "Questions answered with records, or not in time.", "outcome", Outcomes);
        _meter.CreateObservableCounter(Prefix + "lookups_asked", () => _read().Select(snapshot => new Measurement<long>(snapshot.Lookups, Tag(snapshot))),
            "{question}", "Questions asked, whatever came of them.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(ControllerSnapshot snapshot) => new("controller", snapshot.Name);

    private static IEnumerable<KeyValuePair<string, long>> Longs(IReadOnlyDictionary<string, int> counts) =>
        counts.Select(count => KeyValuePair.Create(count.Key, (long)count.Value));

    // Those the store has no answer to, and those still on their way, are asked for without being in one of these.
    private static Dictionary<string, long> Outcomes(ControllerSnapshot snapshot) => new()
    {
        ["found"] = snapshot.LookupsFound,
        ["unanswered"] = snapshot.LookupsUnanswered,
    };

    private void Gauge(string name, string? unit, string description, Func<ControllerSnapshot, double?> value) => _meter.CreateObservableGauge(
        Prefix + name,
        () => _read().Where(snapshot => value(snapshot) is not null).Select(snapshot => new Measurement<double>(value(snapshot)!.Value, Tag(snapshot))),
        unit, description);

    private void Counter(
        string name, string unit, string description, string tag, Func<ControllerSnapshot, IEnumerable<KeyValuePair<string, long>>> values) =>
        _meter.CreateObservableCounter(Prefix + name, () => Read(tag, values), unit, description);

    private IEnumerable<Measurement<long>> Read(string tag, Func<ControllerSnapshot, IEnumerable<KeyValuePair<string, long>>> values) =>
        _read().SelectMany(values, (snapshot, value) => new Measurement<long>(value.Value, Tag(snapshot), new KeyValuePair<string, object?>(tag, value.Key)));
}
