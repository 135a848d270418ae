// The underlay's queue on one lane. Receiving is DatagramReceiver's, the system calls of sending are DatagramSender's. In between:
//
//   Send   notes the frame and its outer header, and appends the note to the list of its socket (source port and DF).
//   Flush  hands each socket's list to the sender. Order is kept within a socket, and a flow stays on one, so order is kept
//          within a flow.
//
// Source ports. A flow should have a source port of its own (RFC 7348 section 5), and the kernel takes one from the socket, so there are 16
// sockets; the flow hash picks one. All datagrams of a batch that a socket has for one VTEP can be one system call. A packet socket
// (AF_PACKET) could write any port and would be faster: 5.4 against 6.2 us for a train of 64 KB, 2.5 against 3.6 us for a datagram of 72
// bytes (measured over a veth, sendmsg from one thread). But it needs CAP_NET_RAW, and our own routes, neighbours and path MTUs; and
// it goes round the host's firewall and IPsec, which an operator would not expect.
//
// Belongs to its lane's worker, except Use and IsLocalAddressPresent.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Linux.Udp;

/// <summary>A frame that is to be sent: VXLAN header and Ethernet frame, borrowed until Flush returns.</summary>
internal unsafe struct DatagramNote
{
    /// <summary>First byte of the VXLAN header, in pinned memory.</summary>
    public byte* Bytes;

    /// <summary>Bytes of VXLAN header and frame.</summary>
    public int Length;

    /// <summary>The next note of the same socket, or -1.</summary>
    public int Next;

    /// <summary>A super-frame is cut up.</summary>
    public OffloadInfo Offload;

    /// <summary>The frame's <see cref="FrameInfo.Ticket"/>.</summary>
    public int Ticket;

    /// <summary>Where to, and how.</summary>
    public OuterHeader Outer;
}

/// <summary>Datagrams of one lane.</summary>
internal sealed unsafe class UdpQueue : IFrameQueue
{
    /// <summary>Source ports of a VTEP.</summary>
    public const int SourcePorts = 16;

    // Two batches; a flood to many peers flushes in between.
    private const int MaxNotes = 2 * FrameBatch.DefaultCapacity;
    private const int Buckets = 2 * SourcePorts; // with DF, without DF
    private const int End = -1;

    private readonly DatagramNote[] _notes = new DatagramNote[MaxNotes];
    private readonly int[] _first = new int[Buckets];
    private readonly int[] _last = new int[Buckets];
    private readonly DatagramSender _sender;
    private readonly PathMtus _pathMtus;
    private LaneSockets? _sockets;
    private bool _isLocalAddressPresent = true;
    private uint _usedBuckets;
    private int _noteCount;
    private int _sentInSend;

    /// <summary>A queue without sockets: what is sent counts as LocalAddressMissing.</summary>
    public UdpQueue(int lane, PathMtus pathMtus)
    {
        _pathMtus = pathMtus;
        _sender = new DatagramSender(pathMtus, pathMtus.Sent(lane), Meters);
    }

    /// <inheritdoc/>
    public QueueMeters Meters { get; } = new();

    /// <summary>The receiver of all sockets of this lane.</summary>
    public DatagramReceiver Receiver { get; } = new();

    /// <summary>The kernel took no trains of datagrams (UDP_SEGMENT) from these sockets; each is sent by itself since.</summary>
    public bool IsSegmentationRefused => _sender.IsSegmentationRefused;

    /// <summary>
    /// False while the local address is missing from this host. The kernel refuses to send from a missing IPv4 address, but not from
    /// a missing IPv6 address, so it is refused here.
    /// </summary>
    public bool IsLocalAddressPresent
    {
        get => Volatile.Read(ref _isLocalAddressPresent);
        set => Volatile.Write(ref _isLocalAddressPresent, value);
    }

    /// <summary>Control loop: from now on the queue uses these sockets; null: none.</summary>
    public void Use(LaneSockets? sockets)
    {
        Volatile.Write(ref _sockets, sockets);
        _sender.ForgetRefusal();
    }

    /// <inheritdoc/>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        return Volatile.Read(ref _sockets) is { } sockets ? Receiver.Receive(sockets.Receive, batch, Meters) : 0;
    }

    /// <summary>Reads the error queue of one of this lane's send sockets.</summary>
    public void ReadErrors(int fd) => IcmpErrors.Drain(fd, _pathMtus);

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        if (_noteCount == MaxNotes)
            _sentInSend += SendNotes();
        ref DatagramNote note = ref _notes[_noteCount];

        // The frame's slot lies in a FrameBatch's pinned memory and is borrowed until Flush returns, so its address stays valid.
        note.Bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(frame.Bytes));
        note.Length = frame.Length;
        note.Offload = frame.Info.Offload;
        note.Ticket = frame.Info.Ticket;
        note.Outer = frame.Info.Outer;
        Append(_noteCount++, Bucket(note.Outer));
    }

    /// <inheritdoc/>
    public int Flush()
    {
        int sent = _sentInSend + SendNotes();
        _sentInSend = 0;
        return sent;
    }

    private static int Bucket(in OuterHeader outer)
    {
        bool withDf = outer.DontFragment || outer.Remote.Address.IsIPv6;
        return outer.SourcePort % SourcePorts + (withDf ? 0 : SourcePorts);
    }

    private void Append(int note, int bucket)
    {
        uint bit = 1u << bucket;
        if ((_usedBuckets & bit) == 0)
            _first[bucket] = note;
        else
            _notes[_last[bucket]].Next = note;
        _last[bucket] = note;
        _notes[note].Next = End;
        _usedBuckets |= bit;
    }

    private int SendNotes()
    {
        int sent = 0;
        LaneSockets? sockets = IsLocalAddressPresent ? Volatile.Read(ref _sockets) : null;
        if (_noteCount > 0)
            _sender.BeginFlush(Environment.TickCount64);
        for (uint used = _usedBuckets; used != 0; used &= used - 1)
            sent += SendBucket(BitOperations.TrailingZeroCount(used), sockets);
        _usedBuckets = 0;
        _noteCount = 0;
        return sent;
    }

    private int SendBucket(int bucket, LaneSockets? sockets)
    {
        if (sockets is null)
            return DropAll(bucket, DropReason.LocalAddressMissing);
        int fd = sockets.Send(bucket % SourcePorts, dontFragment: bucket < SourcePorts);
        if (fd < 0)
            return DropAll(bucket, SendErrors.Reason(-fd));
        _sender.Begin(fd, sockets.Local);
        for (int note = _first[bucket]; note != End; note = _notes[note].Next)
            _sender.Add(_notes[note]);
        return _sender.End();
    }

    private int DropAll(int bucket, DropReason reason)
    {
        for (int note = _first[bucket]; note != End; note = _notes[note].Next)
            Meters.CountDrop(reason, frames: 1, _notes[note].Ticket);
        return 0;
    }
}
