// Puts noted datagrams into as few system calls as the kernel allows. A message is what one sendmsg(2) would send: one datagram, or
// a train of datagrams of one size to one VTEP, of which the last may be shorter (UDP_SEGMENT, udp(7)); the kernel cuts the train up as
// late as it can, a device that does it itself, or a receiver on the same machine, gets it whole. sendmmsg(2) takes up to 64 messages.
//
//   a plain frame      one part: the datagram's bytes, where they lie
//   a super-frame      two parts a segment: headers written here (VXLAN, and the Segmenter's), and the payload, where it lies
//
// So no payload is copied. Frames that follow each other to the same VTEP share a train as long as their sizes allow it, segments of a
// super-frame with the next super-frame's too.
//
// Errors. sendmmsg stops at the first message that fails and tells why only when that is the first of the call; so the call is repeated
// from there, and an error belongs to the first. There is one more owner an error can have: an ICMP message about an earlier
// datagram makes the socket fail its next call (udp(7)). Therefore the error queue is read and the message tried once more. A train that
// the kernel refuses is sent once more datagram by datagram; if those go, trains are the fault, and none is made any more. When
// the kernel has no buffer a flush waits once, at most 1 ms.
//
// Arrays handed to the kernel are pinned and made once. Belongs to its lane's worker.

using System.Runtime.CompilerServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Sends datagrams by a socket.</summary>
/// <param name="pathMtus">Told what the error queue says.</param>
/// <param name="recent">Told what is sent.</param>
/// <param name="meters">Where everything is counted.</param>
internal sealed unsafe class DatagramSender(PathMtus pathMtus, SentDatagrams recent, QueueMeters meters)
{
    /// <summary>Datagrams of one train.</summary>
    public const int MaxTrain = SuperFrame.MaxSegments;

    /// <summary>Bytes of one train: the longest UDP payload over IPv4.</summary>
    public const int MaxTrainBytes = 65_507;

    private const int MaxMessages = 64;
    private const int MaxParts = 2048;
    private const int SamePart = -1;

    // Headers of some 1,000 segments, or twenty super-frames; beyond that what is there is sent first.
    private const int HeaderRoom = 96 * 1024;
    private const int ControlRoom = ControlMessages.SegmentSize + ControlMessages.SendSize;

    private readonly mmsghdr[] _messages = GC.AllocateArray<mmsghdr>(MaxMessages, pinned: true);
    private readonly iovec[] _parts = GC.AllocateArray<iovec>(MaxParts, pinned: true);
    private readonly int[] _tickets = new int[MaxParts]; // of the datagram that starts with this part; SamePart where none does
    private readonly byte[] _headers = GC.AllocateArray<byte>(HeaderRoom, pinned: true);
    private readonly byte[] _names = GC.AllocateArray<byte>(MaxMessages * SocketAddress.Size, pinned: true);
    private readonly byte[] _controls = GC.AllocateArray<byte>(MaxMessages * ControlRoom, pinned: true);
    private readonly Train[] _trains = new Train[MaxMessages];
    private int _count;
    private int _partCount;
    private int _headerBytes;
    private int _fd;
    private int _sent;
    private InetAddress _local;
    private OuterHeader _outer;
    private long _now;
    private bool _hasWaited;
    private bool _isSegmentationRefused;

    /// <summary>Trains were refused whose datagrams were taken; none is made any more.</summary>
    public bool IsSegmentationRefused => Volatile.Read(ref _isSegmentationRefused);

    /// <summary>Other sockets are used from now on: trains are tried again.</summary>
    public void ForgetRefusal() => Volatile.Write(ref _isSegmentationRefused, false);

    /// <summary>A new flush begins.</summary>
    public void BeginFlush(long nowMilliseconds)
    {
        _now = nowMilliseconds;
        _hasWaited = false;
    }

    /// <summary>What is added from now on goes by this socket.</summary>
    public void Begin(int fd, in InetAddress local)
    {
        _fd = fd;
        _local = local;
        _sent = 0;
    }

    /// <summary>Adds a frame.</summary>
    public void Add(in DatagramNote note)
    {
        if (note.Offload.IsSuperFrame)
            AddSegments(note);
        else
            AddWhole(note);
    }

    /// <summary>Sends what was added and isn't sent yet. Datagrams sent since Begin.</summary>
    public int End()
    {
        Submit();
        return _sent;
    }

    private void AddWhole(in DatagramNote note)
    {
        recent.Add(new ReadOnlySpan<byte>(note.Bytes, note.Length), note.Length, note.Outer.Remote.Address, _now);
        Reserve(parts: 1, headerBytes: 0);
        Join(note.Outer, note.Length);
        AddPart(note.Bytes, note.Length, note.Ticket);
    }

    private void AddSegments(in DatagramNote note)
    {
        // The note's bytes are pinned and borrowed until Flush returns; the frame is what is behind the VXLAN header.
        byte* frame = note.Bytes + VxlanHeader.Size;
        if (!Segmenter.TryCreate(new ReadOnlySpan<byte>(frame, note.Length - VxlanHeader.Size), note.Offload, out Segmenter segmenter))
        {
            meters.CountDrop(DropReason.GsoUnsupported, frames: 1, note.Ticket);
            return;
        }

        int headerLength = VxlanHeader.Size + segmenter.HeaderLength;
        meters.CountSegmented(segmenter.Count - 1);
        for (int i = 0; i < segmenter.Count; i++)
        {
            int payload = segmenter.PayloadLength(i);
            Reserve(parts: 2, headerLength + SentDatagrams.PrefixLength);
            byte* header = Pinned.Address(_headers) + _headerBytes;

            // Reserve has made sure that so many bytes are left in the pinned array.
            Unsafe.CopyBlockUnaligned(header, note.Bytes, VxlanHeader.Size);
            segmenter.WriteHeader(i, new Span<byte>(header + VxlanHeader.Size, segmenter.HeaderLength));
            if (i == 0)
                NoteFirst(header, headerLength, frame + segmenter.PayloadOffset(0), payload, note.Outer.Remote.Address);
            _headerBytes += headerLength;
            Join(note.Outer, headerLength + payload);
            AddPart(header, headerLength, note.Ticket);
            AddPart(frame + segmenter.PayloadOffset(i), payload, SamePart);
        }
    }

    // The first segment stands for all: a router that can't pass one can't pass any, and the first is what it complains about first.
    private void NoteFirst(byte* header, int headerLength, byte* payload, int payloadLength, in InetAddress destination)
    {
        // Behind the header there is room for the start of the payload, see Reserve; the next header will be written over it.
        int more = Math.Min(Math.Max(SentDatagrams.PrefixLength - headerLength, 0), payloadLength);
        Unsafe.CopyBlockUnaligned(header + headerLength, payload, (uint)more);
        recent.Add(new ReadOnlySpan<byte>(header, headerLength + more), headerLength + payloadLength, destination, _now);
    }

    private void Reserve(int parts, int headerBytes)
    {
        if (_partCount + parts > MaxParts || _headerBytes + headerBytes > HeaderRoom || _count == MaxMessages)
            Submit();
    }

    /// <summary>Makes the next datagram part of the last train, or the start of a new one.</summary>
    private void Join(in OuterHeader outer, int length)
    {
        if (_count == 0 || !MayJoin(_trains[_count - 1], outer, length))
            Start(outer, length);
        ref Train train = ref _trains[_count - 1];
        train.Datagrams++;
        train.Bytes += length;
        train.IsClosed = length < train.SegmentSize;
    }

    private bool MayJoin(in Train train, in OuterHeader outer, int length) =>
        length <= train.SegmentSize && !train.IsClosed && train.Datagrams < MaxTrain && train.Bytes + length <= MaxTrainBytes
        && !_isSegmentationRefused && outer.Remote == _outer.Remote && outer.TrafficClass == _outer.TrafficClass
        && outer.HopLimit == _outer.HopLimit && outer.InterfaceIndex == _outer.InterfaceIndex;

    private void Start(in OuterHeader outer, int length)
    {
        int i = _count++;
        _outer = outer;
        _trains[i] = new Train { FirstPart = _partCount, SegmentSize = length };
        ref Train train = ref _trains[i];
        train.NameLength = SocketAddress.Write(
            _names.AsSpan(i * SocketAddress.Size, SocketAddress.Size), outer.Remote.Address, outer.Remote.Port, outer.InterfaceIndex);
        Span<byte> control = _controls.AsSpan(i * ControlRoom, ControlRoom);
        train.ControlLength = ControlMessages.Write(control[ControlMessages.SegmentSize..], outer, _local);
    }

    private void AddPart(byte* bytes, int length, int ticket)
    {
        _tickets[_partCount] = ticket;
        _parts[_partCount++] = new iovec { iov_base = bytes, iov_len = length };
    }

    private void Submit()
    {
        for (int i = 0; i < _count; i++)
        {
            int parts = (i + 1 < _count ? _trains[i + 1].FirstPart : _partCount) - _trains[i].FirstPart;
            bool isTrain = _trains[i].Datagrams > 1;
            if (isTrain)
                ControlMessages.WriteSegment(_controls.AsSpan(i * ControlRoom, ControlRoom), (ushort)_trains[i].SegmentSize);
            _messages[i].msg_hdr = Header(i, _trains[i].FirstPart, parts, isTrain);
        }

        SendAll();
        _count = 0;
        _partCount = 0;
        _headerBytes = 0;
    }

    // Every pointer written here is into memory that is pinned for its life: our own arrays. What the parts point to is pinned and
    // borrowed until Flush returns, or in our own arrays.
    private msghdr Header(int message, int firstPart, int parts, bool asTrain)
    {
        ref readonly Train train = ref _trains[message];
        byte* control = Pinned.Address(_controls) + message * ControlRoom + (asTrain ? 0 : ControlMessages.SegmentSize);
        int controlLength = train.ControlLength + (asTrain ? ControlMessages.SegmentSize : 0);
        return new msghdr
        {
            msg_name = Pinned.Address(_names) + message * SocketAddress.Size,
            msg_namelen = train.NameLength,
            msg_iov = Pinned.Address(_parts) + firstPart,
            msg_iovlen = parts,
            msg_control = controlLength == 0 ? null : control,
            msg_controllen = controlLength,
        };
    }

    private void SendAll()
    {
        bool isRetry = false;
        for (int done = 0; done < _count;)
        {
            // The array is pinned for its life; the count given is what Submit filled.
            int n = Libc.sendmmsg(_fd, Pinned.Address(_messages) + done, (uint)(_count - done), 0);
            if (n > 0)
            {
                CountSent(done, n);
                done += n;
                isRetry = false;
            }
            else if (n != -LibC.EINTR && (isRetry || !Recover(-n)))
            {
                OnRefused(done++, -n);
                isRetry = false;
            }
            else if (n != -LibC.EINTR)
            {
                isRetry = true;
            }
        }
    }

    private void CountSent(int first, int messages)
    {
        for (int i = first; i < first + messages; i++)
        {
            meters.CountSent(_trains[i].Datagrams, _trains[i].Bytes);
            _sent += _trains[i].Datagrams;
        }
    }

    /// <summary>Does what can be done about an error; true when the message should be tried once more.</summary>
    private bool Recover(int error)
    {
        if (Errno.IsNoBuffer(error))
        {
            if (_hasWaited)
                return false;
            _hasWaited = true;
            var request = new pollfd { fd = _fd, events = LibC.POLLOUT };

            // The structure lives on this stack frame for the time of the call.
            _ = LibC.poll(&request, 1, 1);
            return true;
        }

        if (!SendErrors.MayBeAnothers(error))
            return false;
        IcmpErrors.Drain(_fd, pathMtus);
        return true;
    }

    private void OnRefused(int message, int error)
    {
        ref readonly Train train = ref _trains[message];
        if (train.Datagrams == 1 || !SendErrors.MayBeSegmentation(error))
            DropTrain(train, SendErrors.Reason(error));
        else if (SendSingly(message) > 0 && error != LibC.EMSGSIZE)
            Volatile.Write(ref _isSegmentationRefused, true);
    }

    private void DropTrain(in Train train, DropReason reason)
    {
        int part = train.FirstPart;
        for (int datagram = 0; datagram < train.Datagrams; part++)
        {
            if (_tickets[part] == SamePart)
                continue;
            meters.CountDrop(reason, frames: 1, _tickets[part]);
            datagram++;
        }
    }

    /// <summary>Sends the datagrams of a train one by one. How many went.</summary>
    private int SendSingly(int message)
    {
        int sent = 0;
        int rest = _trains[message].Bytes;
        for (int part = _trains[message].FirstPart; rest > 0;)
        {
            int length = 0, parts = 0;
            for (int size = Math.Min(_trains[message].SegmentSize, rest); length < size; parts++)
                length += (int)(ulong)_parts[part + parts].iov_len;
            sent += SendOne(Header(message, part, parts, asTrain: false), length, _tickets[part]);
            part += parts;
            rest -= length;
        }

        return sent;
    }

    private int SendOne(msghdr header, int length, int ticket)
    {
        mmsghdr message = default;
        message.msg_hdr = header;
        int n;
        do
        {
            // The structure lives on this stack frame; what it points to is pinned (Header).
            n = Libc.sendmmsg(_fd, &message, 1, 0);
        }
        while (n == -LibC.EINTR);
        if (n == 1)
            meters.CountSent(length);
        else
            meters.CountDrop(SendErrors.Reason(-n), frames: 1, ticket);
        _sent += Math.Max(n, 0);
        return Math.Max(n, 0);
    }

    private struct Train
    {
        public int FirstPart;
        public int SegmentSize;
        public int Datagrams;
        public int Bytes;
        public int NameLength;
        public int ControlLength;
        public bool IsClosed;
    }
}
