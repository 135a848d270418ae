// The sending half of the ceiling: collects the frames of a batch as sends (runs of equal frames, super-frames) and makes them in one
// sendmmsg(2). See CeilingRelay for the form of a send. Belongs to the relay's only thread.

using System.Net;
using Tmds.Linux;
using VtepDataPlane.EndToEnd.Interop;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Relay;

/// <summary>Collects frames that lie side by side and sends them as trains.</summary>
internal sealed unsafe class CeilingSender
{
    private const int MaxSends = 128;

    private readonly int _socket;
    private readonly int _segmentSize;
    private readonly int _peers;
    private readonly iovec* _buffers = Native.Array<iovec>(MaxSends);
    private readonly byte* _controls = Native.Array<byte>(MaxSends * SegmentControl.Space);
    private readonly Message* _messages = Native.Array<Message>(MaxSends);
    private readonly Message* _toPeers;
    private int _sends;
    private int _runFrame;
    private int _runFrames;

    private CeilingSender(int socket, int segmentSize, IPEndPoint[] peers)
    {
        _socket = socket;
        _segmentSize = segmentSize;
        _peers = peers.Length;
        _toPeers = Native.Array<Message>(_peers);
        int nameLength = Descriptors.NameLength(peers[0]);
        byte* names = Native.Array<byte>(_peers * nameLength);

        // Every pointer is into arrays of ours that are never freed, at an index below their length.
        for (int i = 0; i < _peers; i++)
        {
            Descriptors.Name(peers[i]).CopyTo(new Span<byte>(names + i * nameLength, nameLength));
            _toPeers[i].Header.msg_name = names + i * nameLength;
            _toPeers[i].Header.msg_namelen = nameLength;
        }
    }

    /// <summary>Opens the socket: connected when there is one peer, which saves the kernel a route lookup a send.</summary>
    public static CeilingSender Open(RelayOptions options)
    {
        var local = new IPEndPoint(options.Local.Address, 0);
        int socket = options.Peers.Length == 1 ? Descriptors.ConnectedUdp(local, options.Peers[0]) : Descriptors.Udp(local);
        return new CeilingSender(socket, options.SegmentSize, options.Peers);
    }

    /// <summary>Adds a frame with its header; it lies right behind the one added before, and stays there until Flush.</summary>
    public void Add(byte* frame, int length, bool isSuperFrame)
    {
        if (!isSuperFrame && CanExtend(length))
        {
            Extend(length);
            return;
        }

        if (_sends == MaxSends)
            Flush();
        _buffers[_sends].iov_base = frame;
        _buffers[_sends].iov_len = length;
        _runFrame = isSuperFrame ? 0 : length;
        _runFrames = 1;
        SetSegmentSize(_sends++, isSuperFrame && length > _segmentSize ? _segmentSize : 0);
    }

    /// <summary>Sends all that was added.</summary>
    public void Flush()
    {
        if (_peers == 1)
            SendAll(_messages, _sends);
        else
            FloodAll();
        _sends = 0;
        _runFrame = 0;
    }

    // A run ends with a super-frame, a shorter frame, or at the kernel's limits of one send.
    private bool CanExtend(int length) => _runFrame >= length
        && _runFrames < SendLimits.MaxSegments
        && (int)(ulong)_buffers[_sends - 1].iov_len + length <= SendLimits.MaxSend;

    private void Extend(int length)
    {
        int last = _sends - 1;
        _buffers[last].iov_len = (int)(ulong)_buffers[last].iov_len + length;
        if (_runFrames++ == 1)
            SetSegmentSize(last, _runFrame);
        if (length < _runFrame)
            _runFrame = 0;
    }

    // Every pointer is into arrays of ours that are never freed; send is below their length.
    private void SetSegmentSize(int send, int size)
    {
        byte* control = _controls + send * SegmentControl.Space;
        SegmentControl.Write(control, (ushort)size);
        _messages[send].Header.msg_iov = _buffers + send;
        _messages[send].Header.msg_iovlen = 1;
        _messages[send].Header.msg_control = size == 0 ? null : control;
        _messages[send].Header.msg_controllen = size == 0 ? 0 : SegmentControl.Space;
    }

    private void FloodAll()
    {
        for (int send = 0; send < _sends; send++)
        {
            for (int peer = 0; peer < _peers; peer++)
            {
                _toPeers[peer].Header.msg_iov = _messages[send].Header.msg_iov;
                _toPeers[peer].Header.msg_iovlen = 1;
                _toPeers[peer].Header.msg_control = _messages[send].Header.msg_control;
                _toPeers[peer].Header.msg_controllen = _messages[send].Header.msg_controllen;
            }

            SendAll(_toPeers, _peers);
        }
    }

    // What the kernel refuses is skipped: a relay has nobody to tell.
    private void SendAll(Message* messages, int count)
    {
        for (int done = 0; done < count;)
        {
            int sent = Libc.sendmmsg(_socket, (mmsghdr*)(messages + done), (uint)(count - done), 0);
            done += Math.Max(1, sent);
        }
    }
}
