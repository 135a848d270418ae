// Writes what a capture reads as pcapng. A bridge domain is an interface, by its name; what belongs to no domain is in an interface of its own. What pcapng
// has no field for is in the packet's comment, as words of the form key=value in this order, those without a value left out:
//
//   vni=100 from=tap-blue to=198.18.0.2:4789 verdict=sent
//   vni=100 from=198.18.0.2:4789 to=tap-blue verdict=dropped reason=port_no_buffer
//   vni=100 from=vtep to=tap-blue verdict=originated
//   vni=100 from=tap-blue to=198.18.0.2:4789 verdict=sent segments=44 dropped=2 reason=link_mtu_exceeded
//
// Wireshark shows comments, and filters by them: frame.comment contains "reason=". Direction, lane and the number that copies of one frame share are
// in fields of their own (epb_flags, epb_queue, epb_packetid), and so is what was lost before a packet (epb_dropcount).
//
// Most packets have the comment of one before them, so comments are kept, up to a bound. One thread, the reader's.

using System.Buffers;
using System.Text;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Turns a capture into a stream of pcapng. One thread.</summary>
public sealed class CaptureWriter
{
    private const int KeptComments = 4096;

    private readonly CaptureSession _session;
    private readonly PcapngWriter _writer;
    private readonly Dictionary<string, int> _interfaces = [];
    private readonly Dictionary<CommentKey, byte[]> _comments = [];
    private readonly List<long> _written = [];
    private readonly long[] _lostBefore;
    private long _lastTime;
    private int _noDomain = -1;

    /// <summary>Writes the section header.</summary>
    /// <param name="session">The capture.</param>
    /// <param name="lanes">Lanes of the VTEP.</param>
    /// <param name="output">Where to.</param>
    /// <param name="application">Who writes, such as "vtep 1.0".</param>
    public CaptureWriter(CaptureSession session, int lanes, IBufferWriter<byte> output, string application)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(output);
        _session = session;
        _lostBefore = new long[lanes];
        _writer = new PcapngWriter(output);
        _writer.WriteSection(application, "VXLAN inner frames; comments: vni from to verdict reason segments dropped");
    }

    /// <summary>Packets written.</summary>
    public long Packets { get; private set; }

    /// <summary>Writes frames that wait, until none does or so many bytes of frames are written. Returns frames written.</summary>
    /// <param name="mostBytes">Bytes of frames after which to stop.</param>
    /// <param name="mostFrames">Frames after which to stop.</param>
    public int Write(int mostBytes, long mostFrames)
    {
        int frames = 0;
        for (int bytes = 0; bytes < mostBytes && frames < mostFrames && _session.TryRead(out CapturedFrame frame); frames++)
        {
            Write(frame);
            bytes += frame.Bytes.Length;
        }

        Packets += frames;
        return frames;
    }

    /// <summary>Writes the statistics that end the section.</summary>
    public void End()
    {
        long lost = _session.Lost;
        for (int i = 0; i < _writer.Interfaces; i++)
            _writer.WriteStatistics(i, _lastTime, _written[i] + (i == 0 ? lost : 0), i == 0 ? lost : 0); // which domain's were lost isn't known
    }

    private void Write(scoped in CapturedFrame frame)
    {
        int id = InterfaceOf(frame);
        long lost = _session.LostOn(frame.Lane);
        var options = new PacketOptions
        {
            Direction = frame.IsFromUnderlay ? PacketDirection.Inbound : PacketDirection.Outbound,
            PacketId = (ulong)frame.FrameId,
            Queue = (uint)frame.Lane,
            LostBefore = (ulong)(lost - _lostBefore[frame.Lane]),
            Comment = CommentOf(frame),
        };
        _lostBefore[frame.Lane] = lost;
        _lastTime = Math.Max(_lastTime, frame.Time);
        _written[id]++;
        _writer.WritePacket(id, frame.Time, frame.Bytes, frame.Length, options);
    }

    private int InterfaceOf(scoped in CapturedFrame frame)
    {
        if (frame.Domain is not { } domain)
            return _noDomain >= 0 ? _noDomain : _noDomain = Add("no domain", "frames of no bridge domain");
        if (!_interfaces.TryGetValue(domain, out int id))
            _interfaces[domain] = id = Add(domain, $"VNI {frame.Vni}");
        return id;
    }

    private int Add(string name, string description)
    {
        _written.Add(0);
        return _writer.AddInterface(name, description, _session.Filter.SnapLength);
    }

    private byte[] CommentOf(scoped in CapturedFrame frame)
    {
        var key = new CommentKey(
            frame.Vni, frame.FromPort, frame.ToPort, frame.Remote, frame.IsFromUnderlay, frame.Verdict, frame.Reason, frame.Segments, frame.DroppedSegments);
        if (_comments.TryGetValue(key, out byte[]? comment))
            return comment;
        if (_comments.Count == KeptComments)
            _comments.Clear();
        return _comments[key] = Encoding.UTF8.GetBytes(Comment(key));
    }

    private static string Comment(CommentKey key)
    {
        var text = new StringBuilder();
        if (key.Vni is { } vni)
            text.Append("vni=").Append(vni.Value).Append(' ');
        string? remote = key.Remote?.ToString();
        string? from = key.Verdict == CaptureVerdict.Originated ? "vtep" : key.IsFromUnderlay ? remote : key.FromPort;
        string? to = key.ToPort ?? (key.IsFromUnderlay ? null : remote);
        if (from is not null)
            text.Append("from=").Append(VtepConfigRules.Escape(from)).Append(' ');
        if (to is not null)
            text.Append("to=").Append(VtepConfigRules.Escape(to)).Append(' ');
        text.Append("verdict=").Append(key.Verdict.Name());
        if (key.Segments > 1)
            text.Append(" segments=").Append(key.Segments);
        if (key.Segments > 1 && key.DroppedSegments > 0)
            text.Append(" dropped=").Append(key.DroppedSegments);
        if (key.Reason != DropReason.None)
            text.Append(" reason=").Append(key.Reason.Name());
        return text.ToString();
    }

    private readonly record struct CommentKey(
        Vni? Vni, string? FromPort, string? ToPort, VtepEndpoint? Remote, bool IsFromUnderlay, CaptureVerdict Verdict, DropReason Reason, int Segments, int DroppedSegments);
}
