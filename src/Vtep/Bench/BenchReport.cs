// What vtep bench found, as a value: for the table, and for programs as JSON.

using System.Text.Json.Serialization;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>One direction at one frame size.</summary>
/// <param name="Time">Of one frame, receiving it from memory included.</param>
/// <param name="Mpps">Millions of frames a second on one core.</param>
/// <param name="GbitPerSecond">Of inner Ethernet frames, on one core.</param>
internal sealed record BenchSpeed(BenchTime Time, double Mpps, double GbitPerSecond)
{
    public static BenchSpeed Of(BenchTime time, double bytes) => new(time, 1000 / time.Nanoseconds, 8 * bytes / time.Nanoseconds);
}

/// <summary>A frame size.</summary>
/// <param name="Bytes">Of the inner Ethernet frame.</param>
/// <param name="AtOnce">Frames that are handled as one (a super-frame out, a train of datagrams in); times are of one of them.</param>
/// <param name="Encapsulate">Port to wire.</param>
/// <param name="Decapsulate">Wire to port.</param>
internal sealed record BenchFrameRow(int Bytes, int AtOnce, BenchSpeed Encapsulate, BenchSpeed Decapsulate);

/// <summary>An FDB filled to its capacity.</summary>
/// <param name="Entries">Its capacity.</param>
/// <param name="Lookup">A hit in random order.</param>
internal sealed record BenchFdbRow(int Entries, BenchTime Lookup);

/// <summary>Where it was measured.</summary>
/// <param name="Processor">Its name.</param>
/// <param name="VectorBits">The widest vectors used.</param>
/// <param name="Build"><c>jit</c> or <c>native</c>.</param>
internal sealed record BenchMachine(string Processor, int VectorBits, string Build);

/// <summary>Everything.</summary>
/// <param name="Machine">Where.</param>
/// <param name="Stations">MACs in the FDB while frames were forwarded.</param>
/// <param name="Frames">By size.</param>
/// <param name="Fdb">By entries.</param>
/// <param name="Forwarded">Frames that were really sent, by the VTEP's counters.</param>
/// <param name="Dropped">Frames it dropped: 0, or the times mean nothing.</param>
internal sealed record BenchReport(
    BenchMachine Machine, int Stations, IReadOnlyList<BenchFrameRow> Frames, IReadOnlyList<BenchFdbRow> Fdb, long Forwarded, long Dropped);

/// <summary>The generated serializer.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchJson : JsonSerializerContext;
