// The Coalescer finds, among the frames that are to be written to one port, those that one super-frame can stand for, so that the kernel takes them in
// one call and carries them through its stack as one (what its own GRO does for a network card). It looks at the frames in the order in which
// they are to be written and groups them into trains; it changes no frame, for the same bytes may go to other ports as well. Only the headers
// of a train are written, into a copy of its first frame's.
//
// What may join a train is decided so that cutting it up again gives the same frames, which is what somebody behind the port sees: the shape
// of each frame (Segment), headers that are alike (HeaderLayout), and here: payload no longer than the first's, and nothing behind a shorter one or
// behind a PSH; TCP's next sequence number; DF, or the next identification; right checksums, or checksums that are all still to be finished.
// The rules are stricter than they need be where that costs only merges: FIN, SYN, RST, URG and CWR always travel alone.
//
// Order. Trains are written in the order of their first frames, so order is kept within a flow if a frame joins no train but the
// last one of its flow. A small table has one cell for each hash of protocol, addresses and ports; what doesn't join the train in its cell
// closes that train, whether it may start one of its own or not. Two flows in one cell close each other's trains: they lose merges and nothing
// else, so the hash needs no secret. A fragment may belong to any flow, so it closes all. Other frames (ARP, ICMP) have no flow.
//
// Memory is allocated once. The headers lie in pinned memory, so that their addresses can be handed to the kernel. One thread.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Groups frames into trains. Owned by one thread.</summary>
/// <param name="capacity">Frames between two calls of <see cref="Begin"/>.</param>
internal sealed class Coalescer(int capacity)
{
    /// <summary>Frames of one train.</summary>
    public const int MaxFrames = SuperFrame.MaxSegments;

    private const int None = -1;
    private const uint Closed = 0;
    private const int MaxPacket = ushort.MaxValue;

    private const int CellBits = 8;

    // odd numbers nobody chose: the first 64 bits of the fractions of sqrt(11), sqrt(13), sqrt(17), sqrt(19) and sqrt(23), the last bit set
    private const ulong Odd0 = 0x510E_527F_ADE6_82D1;
    private const ulong Odd1 = 0x9B05_688C_2B3E_6C1F;
    private const ulong Odd2 = 0x1F83_D9AB_FB41_BD6B;
    private const ulong Odd3 = 0x5BE0_CD19_137E_2179;
    private const ulong Odd4 = 0xCBBB_9D5D_C105_9ED9;

    private readonly int[] _next = new int[capacity];
    private readonly Train[] _trains = new Train[capacity];
    private readonly byte[] _headers = GC.AllocateUninitializedArray<byte>(capacity * HeaderLayout.Room, pinned: true);

    // A cell holds the serial number of the train that a frame of its flows may join. Serial numbers go on counting over Begin, so the table needs
    // no clearing: one below the first that is open is no train's.
    private readonly uint[] _cells = new uint[1 << CellBits];
    private uint _firstSerial = 1;
    private uint _firstOpen = 1;
    private TrainKinds _kinds;

    /// <summary>Frames added.</summary>
    public int Count { get; private set; }

    /// <summary>Trains they are grouped into, those of one frame included.</summary>
    public int Trains { get; private set; }

    /// <summary>A train, in the order of their first frames.</summary>
    public ref readonly Train this[int train] => ref _trains[train];

    /// <summary>The frame behind <paramref name="frame"/> in its train; for the last one nothing to rely on.</summary>
    public int Next(int frame) => _next[frame];

    /// <summary>Forgets all frames.</summary>
    /// <param name="kinds">Which trains may be made; frames of other kinds stay single.</param>
    public void Begin(TrainKinds kinds)
    {
        _firstSerial += (uint)Trains;
        _firstOpen = _firstSerial;
        _kinds = kinds;
        Count = 0;
        Trains = 0;
    }

    /// <summary>Adds the next frame to be written; its number is <see cref="Count"/> before the call, which must be below the capacity.</summary>
    /// <param name="frame">The frame. Looked at now and never again.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it, or default: such a frame stays single.</param>
    /// <param name="offload">Its metadata.</param>
    [MethodImpl(MethodImplOptions.NoInlining)] // or it fills a caller up, and what it calls isn't inlined any more
    public void Add(ReadOnlySpan<byte> frame, in FrameHeaders headers, in OffloadInfo offload)
    {
        int number = Count++;
        if (!HasPorts(headers))
        {
            if (MayBeOfAnyFlow(headers))
                _firstOpen = _firstSerial + (uint)Trains;
            AddSingle(number, frame.Length);
            return;
        }

        ref uint cell = ref Cell(frame, headers);
        if (offload.IsSuperFrame || !Segment.TryRead(frame, headers, _kinds, out Segment segment))
        {
            Close(ref cell, number, frame.Length);
            return;
        }

        int train = TrainIn(cell);
        if (train == None || !MayJoin(_trains[train], HeaderOf(train), segment, headers, offload))
            Start(number, segment, headers, offload, ref cell);
        else if (segment.IsIntact(headers, offload, _trains[train].FlowSum))
            Join(ref _trains[train], number, segment, ref cell);
        else
            Close(ref cell, number, frame.Length);
    }

    /// <summary>The headers of a train of several frames as they stand in its super-frame, in pinned memory until the next <see cref="Begin"/>.</summary>
    /// <param name="number">The train.</param>
    /// <param name="offload">What the kernel must be told.</param>
    public Span<byte> Finish(int number, out OffloadInfo offload)
    {
        ref readonly Train train = ref _trains[number];
        Span<byte> header = HeaderOf(number)[..train.HeaderLength];
        SuperFrameHeader.Patch(header, train, out offload);
        return header;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool MayJoin(
        in Train train, ReadOnlySpan<byte> header, in Segment segment, in FrameHeaders headers, in OffloadInfo offload) =>
        train.NextSequence == segment.Sequence && segment.PayloadLength <= train.GsoSize
        && train.Layout == segment.Layout && train.HeaderLength == segment.HeaderLength && train.NeedsChecksum == offload.NeedsChecksum
        && train.Length + segment.PayloadLength - headers.NetworkOffset <= MaxPacket
        && (segment.IsAtomic || train.NextIdentification == segment.Identification)
        && HeaderLayout.AreAlike(segment.Layout, header[..segment.HeaderLength], segment.Header);

    private void Join(ref Train train, int frame, in Segment segment, ref uint cell)
    {
        _next[train.Last] = frame;
        train.Last = frame;
        train.Frames++;
        train.Length += segment.PayloadLength;
        train.EndsWithPush = segment.HasPush;
        Advance(ref train, segment);
        if (segment.PayloadLength < train.GsoSize || segment.HasPush || train.Frames == MaxFrames)
            cell = Closed;
    }

    /// <summary>The frame opens a train, if others may follow it.</summary>
    private void Start(int frame, in Segment segment, in FrameHeaders headers, in OffloadInfo offload, ref uint cell)
    {
        int number = Trains;
        ref Train train = ref Close(ref cell, frame, segment.Frame.Length);
        bool isTcp = headers.Protocol == IpProtocol.Tcp;
        ulong flowSum = InternetChecksum.PseudoHeaderSum(segment.Frame, headers, transportLength: 0);
        if (segment.HasPush || (isTcp && segment.PayloadLength < SuperFrame.MinimumTcpGsoSize) || !segment.IsIntact(headers, offload, flowSum))
            return;
        train.Kind = isTcp ? TrainKinds.Tcp : TrainKinds.Udp;
        train.Layout = segment.Layout;
        train.HeaderLength = segment.HeaderLength;
        train.GsoSize = segment.PayloadLength;
        train.NeedsChecksum = offload.NeedsChecksum;
        train.NextSequence = segment.Sequence;
        train.NextIdentification = segment.Identification;
        train.FlowSum = flowSum;
        train.Headers = headers;
        Advance(ref train, segment);
        segment.Header.CopyTo(HeaderOf(number));
        cell = _firstSerial + (uint)number;
    }

    private static void Advance(ref Train train, in Segment segment)
    {
        train.NextIdentification++;
        if (train.Kind == TrainKinds.Tcp)
            train.NextSequence += (uint)segment.PayloadLength;
    }

    /// <summary>Nothing joins the cell's train any more; the frame is a train of one.</summary>
    private ref Train Close(ref uint cell, int frame, int length)
    {
        cell = Closed;
        return ref AddSingle(frame, length);
    }

    private ref Train AddSingle(int frame, int length)
    {
        ref Train train = ref _trains[Trains++];
        train.First = frame;
        train.Last = frame;
        train.Frames = 1;
        train.Length = length;
        train.HeaderLength = 0;
        train.GsoSize = 0;
        train.Kind = TrainKinds.None;
        return ref train;
    }

    // After a wrap of serial numbers an old one may seem to be a train of today: a collision like any other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TrainIn(uint cell)
    {
        uint next = _firstSerial + (uint)Trains;
        return cell != Closed && cell - _firstOpen < next - _firstOpen ? (int)(cell - _firstSerial) : None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> HeaderOf(int train) => _headers.AsSpan(train * HeaderLayout.Room, HeaderLayout.Room);

    private static bool HasPorts(in FrameHeaders headers) =>
        headers.Protocol is IpProtocol.Tcp or IpProtocol.Udp && headers.TransportOffset != 0 && !headers.IsFragment;

    private static bool MayBeOfAnyFlow(in FrameHeaders headers) => headers.IsIp && (headers.IsFragment || headers.TransportOffset == 0);

    // Independent products add up, and the top bits depend on all of the input.
    private ref uint Cell(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        ulong ports = BinaryPrimitives.ReadUInt32LittleEndian(frame[headers.TransportOffset..]);
        ulong hash = (ports | ((ulong)headers.Protocol << 32)) * Odd0;
        if (headers.IpVersion == 4)
        {
            hash += Word(frame, headers.NetworkOffset + Ipv4Header.SourceOffset) * Odd1;
        }
        else
        {
            ReadOnlySpan<byte> addresses = frame[(headers.NetworkOffset + Ipv6Header.SourceOffset)..];
            hash += Word(addresses, 0) * Odd1 + Word(addresses, 8) * Odd2 + Word(addresses, 16) * Odd3 + Word(addresses, 24) * Odd4;
        }

        return ref _cells[hash >> (64 - CellBits)];
    }

    private static ulong Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
