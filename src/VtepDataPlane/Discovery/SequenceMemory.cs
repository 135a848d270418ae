// The last sequence of stations nobody claims any more. Who claims such a station next goes on from there, so that a late word of the old claim
// doesn't beat the new one. Ten minutes, bounded, the oldest go first. Control loop only; time is an argument.

namespace VtepDataPlane.Discovery;

/// <summary>Sequences of withdrawn claims.</summary>
internal sealed class SequenceMemory
{
    /// <summary>For so long.</summary>
    public const long Milliseconds = 600_000;

    /// <summary>Stations remembered.</summary>
    public const int Capacity = 65_536;

    private readonly Dictionary<LookupKey, (uint Sequence, long At)> _sequences = [];
    private readonly Queue<(LookupKey Key, long At)> _order = new();

    /// <summary>Another node's claim is withdrawn: whoever is next uses the sequence after it.</summary>
    public void AddRemote(LookupKey key, uint sequence, long nowMilliseconds) => Add(key, Next(sequence), nowMilliseconds);

    /// <summary>Our own claim is withdrawn: coming back isn't a move.</summary>
    public void AddOwn(LookupKey key, uint sequence, long nowMilliseconds) => Add(key, sequence, nowMilliseconds);

    /// <summary>The sequence a new claim must have at least; 0 when nothing is remembered.</summary>
    public uint Floor(LookupKey key, long nowMilliseconds) =>
        _sequences.TryGetValue(key, out (uint Sequence, long At) known) && nowMilliseconds - known.At < Milliseconds ? known.Sequence : 0;

    /// <summary>The sequence after one; the last one has none.</summary>
    public static uint Next(uint sequence) => sequence == uint.MaxValue ? sequence : sequence + 1;

    private void Add(LookupKey key, uint sequence, long nowMilliseconds)
    {
        _sequences[key] = (Math.Max(sequence, Floor(key, nowMilliseconds)), nowMilliseconds);
        _order.Enqueue((key, nowMilliseconds));
        while (_order.TryPeek(out (LookupKey Key, long At) oldest) && (nowMilliseconds - oldest.At >= Milliseconds || _order.Count > Capacity))
        {
            _order.Dequeue();
            if (_sequences.TryGetValue(oldest.Key, out (uint Sequence, long At) known) && known.At == oldest.At)
                _sequences.Remove(oldest.Key);
        }
    }
}
