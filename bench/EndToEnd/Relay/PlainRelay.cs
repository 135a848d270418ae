// The relay as a simple user-space tunnel is written: read one frame from the TAP, send one datagram; receive one datagram, write one
// frame. No virtio header, no offloads, no batches, nothing put before the frame. What it does per frame is the least that any program of
// its kind can do, so what is faster owes it to offloads and batches.

using System.Net;
using Tmds.Linux;
using VtepDataPlane.EndToEnd.Interop;

namespace VtepDataPlane.EndToEnd.Relay;

/// <summary>One plain frame a system call.</summary>
internal sealed unsafe class PlainRelay : RelayLoop
{
    private const int FrameRoom = 65536;
    private const int FramesPerWake = 64; // so that neither side starves the other

    private readonly byte* _frame = Native.Array<byte>(FrameRoom);
    private readonly byte* _names;
    private readonly int _nameLength;
    private readonly int _peers;

    private PlainRelay(int tap, int socket, IPEndPoint[] peers)
        : base(tap, socket)
    {
        _nameLength = Descriptors.NameLength(peers[0]);
        _peers = peers.Length;
        _names = Native.Array<byte>(_peers * _nameLength);
        for (int i = 0; i < _peers; i++)
            Descriptors.Name(peers[i]).CopyTo(new Span<byte>(_names + i * _nameLength, _nameLength));
    }

    /// <summary>Opens the TAP and the socket.</summary>
    public static new PlainRelay Open(RelayOptions options) =>
        new(Descriptors.Tap(options.Tap, withHeader: false, offloads: 0), Descriptors.Udp(options.Local), options.Peers);

    // The buffer is ours for life and has room for the longest frame and datagram; names are whole addresses in our array.
    protected override void ServeTap()
    {
        for (int i = 0; i < FramesPerWake; i++)
        {
            ssize_t length = LibC.read(TapDescriptor, _frame, FrameRoom);
            if (length <= 0)
                return;
            for (int peer = 0; peer < _peers; peer++)
                LibC.sendto(SocketDescriptor, _frame, (size_t)(int)length, 0, (sockaddr*)(_names + peer * _nameLength), _nameLength);
        }
    }

    // As above.
    protected override void ServeSocket()
    {
        for (int i = 0; i < FramesPerWake; i++)
        {
            ssize_t length = LibC.recv(SocketDescriptor, _frame, FrameRoom, 0);
            if (length <= 0)
                return;
            LibC.write(TapDescriptor, _frame, (size_t)(int)length);
        }
    }
}
