// The ceiling: what a program over TAP and UDP sockets could carry if a VTEP's own work cost nothing. It makes the system calls of a
// good VTEP, batched, with all offloads, and nothing else: no header of an overlay, no checksum, no lookup, no copy.
//
// TAP to wire. read(2) gives the virtio header and the frame behind it; frames are read one after the other into one arena without gaps,
// until none waits, 128 are there, or the budget is used up (what is in the cache shall still be there when it is sent).
//   super-frame    header and frame are one send with UDP_SEGMENT of the underlay's datagram size: bytes of it, not its TCP segments
//   plain frames   a run of equal lengths is one send with UDP_SEGMENT, a datagram for each header and frame; they lie side by side already.
//                  A shorter one may end the run
// All sends of a batch are one sendmmsg(2). With several peers, each send is one sendmmsg to all of them.
//
// Wire to TAP. recvmmsg(2) with UDP_GRO: over a veth a send arrives whole. A virtio header with a gso_type says that the whole buffer is one
// super-frame, otherwise every datagram of it is a frame; each is one write(2).
//
// The underlay must carry trains whole (a veth with its offloads on, a NIC with GRO); where it doesn't, the TAP must not give super-frames
// (RelayMode.CeilingNoSegmentation), for nothing here could put one together again. One thread serves both directions.

using Tmds.Linux;
using VtepDataPlane.EndToEnd.Interop;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Relay;

/// <summary>Batches and super-frames, and no work.</summary>
internal sealed unsafe class CeilingRelay : RelayLoop
{
    /// <summary>Bytes of struct virtio_net_hdr.</summary>
    public const int HeaderSize = 10;

    private const int GsoTypeOffset = 1;
    private const int FrameRoom = 65536 + 4096;
    private const int ArenaBudget = 128 * 1024;
    private const int FramesPerBatch = 128;
    private const int Slots = 16;

    private readonly CeilingSender _sender;
    private readonly byte* _arena = Native.Array<byte>(ArenaBudget + FrameRoom);
    private readonly byte* _slots = Native.Array<byte>(Slots * FrameRoom);
    private readonly byte* _controls = Native.Array<byte>(Slots * SegmentControl.Space);
    private readonly iovec* _buffers = Native.Array<iovec>(Slots);
    private readonly Message* _messages = Native.Array<Message>(Slots);

    private CeilingRelay(int tap, int socket, CeilingSender sender)
        : base(tap, socket)
    {
        _sender = sender;

        // Every pointer is into arrays of ours that are never freed, at an index below their length.
        for (int i = 0; i < Slots; i++)
        {
            _buffers[i] = new iovec { iov_base = _slots + i * FrameRoom, iov_len = FrameRoom };
            _messages[i].Header.msg_iov = _buffers + i;
            _messages[i].Header.msg_iovlen = 1;
            _messages[i].Header.msg_control = _controls + i * SegmentControl.Space;
        }
    }

    /// <summary>Opens the TAP and the sockets.</summary>
    public static new CeilingRelay Open(RelayOptions options)
    {
        uint offloads = Libc.TUN_F_CSUM;
        if (options.Mode == RelayMode.Ceiling)
            offloads |= Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6 | Libc.TUN_F_TSO_ECN | Libc.TUN_F_USO4 | Libc.TUN_F_USO6;
        int tap = Descriptors.Tap(options.Tap, withHeader: true, offloads);
        int socket = Descriptors.Udp(options.Local);
        Descriptors.ReceiveTrains(socket);
        return new CeilingRelay(tap, socket, CeilingSender.Open(options));
    }

    // Behind every offset within the budget the arena has room for the longest frame.
    protected override void ServeTap()
    {
        int used = 0;
        for (int i = 0; i < FramesPerBatch && used < ArenaBudget; i++)
        {
            var length = (int)LibC.read(TapDescriptor, _arena + used, FrameRoom);
            if (length <= HeaderSize)
                break;
            _sender.Add(_arena + used, length, isSuperFrame: _arena[used + GsoTypeOffset] != Libc.VIRTIO_NET_HDR_GSO_NONE);
            used += length;
        }

        _sender.Flush();
    }

    // The kernel fills as many slots as it reports, each to the length it reports.
    protected override void ServeSocket()
    {
        for (int i = 0; i < Slots; i++)
            _messages[i].Header.msg_controllen = SegmentControl.Space;
        int count = Libc.recvmmsg(SocketDescriptor, (mmsghdr*)_messages, Slots, LibC.MSG_DONTWAIT);
        for (int i = 0; i < count; i++)
        {
            byte* buffer = _slots + i * FrameRoom;
            var length = (int)_messages[i].Length;
            int size = SegmentControl.Read(_messages[i].Header);
            bool isOneFrame = size == 0 || buffer[GsoTypeOffset] != Libc.VIRTIO_NET_HDR_GSO_NONE;
            WriteFrames(buffer, length, isOneFrame ? length : size);
        }
    }

    private void WriteFrames(byte* buffer, int length, int size)
    {
        for (int offset = 0; offset < length; offset += size)
            LibC.write(TapDescriptor, buffer + offset, (size_t)Math.Min(size, length - offset));
    }
}
