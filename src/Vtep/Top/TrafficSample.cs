// What `vtep top` knows of a daemon at one moment: four answers of the control API, asked for one after another on one connection. They are some
// milliseconds apart, and so are two samples' answers of one kind, which is why one time for all four does: rates compare like with like.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Top;

/// <summary>The counters of a daemon at one moment.</summary>
/// <param name="At">When, on a clock that never goes back; only differences mean anything.</param>
/// <param name="Status">The VTEP as a whole.</param>
/// <param name="Domains">Its bridge domains.</param>
/// <param name="Peers">Its peers.</param>
/// <param name="Counters">Its books.</param>
internal sealed record TrafficSample(
    TimeSpan At, VtepSnapshot Status, IReadOnlyList<DomainSnapshot> Domains, IReadOnlyList<PeerSnapshot> Peers, CounterSnapshot Counters);

/// <summary>Takes samples of one daemon.</summary>
/// <param name="client">Asks it.</param>
/// <param name="time">The clock.</param>
internal sealed class TrafficSampler(ControlClient client, TimeProvider time)
{
    /// <summary>For how long an answer is waited for. A picture that is older than this is worth a word.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly long _start = time.GetTimestamp();

    /// <summary>One sample.</summary>
    /// <exception cref="UnreachableException">Nobody answers.</exception>
    /// <exception cref="RefusedException">The daemon says no.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was cancelled.</exception>
    public async Task<TrafficSample> TakeAsync(CancellationToken cancellation)
    {
        VtepSnapshot status = await AskAsync("/v1/status", ControlJson.Default.VtepSnapshot, cancellation);
        TimeSpan now = time.GetElapsedTime(_start);
        return new TrafficSample(
            now, status,
            await AskAsync("/v1/domains", ControlJson.Default.IReadOnlyListDomainSnapshot, cancellation),
            await AskAsync("/v1/peers", ControlJson.Default.IReadOnlyListPeerSnapshot, cancellation),
            await AskAsync("/v1/counters", ControlJson.Default.CounterSnapshot, cancellation));
    }

    private async Task<T> AskAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        JsonSerializer.Deserialize(await client.SendAsync(HttpMethod.Get, path, null, cancellation), type)!;
}
