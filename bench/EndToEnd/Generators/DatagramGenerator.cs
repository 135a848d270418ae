// Sends a contender's own datagrams as fast as it can, forever: one socket a flow, so that each flow has its source port, a train of up to 64
// datagrams a system call (UDP_SEGMENT), the flows in turn. Trains are there so that it is not the generator that is measured; a receiver that asks
// for them (UDP_GRO) gets them whole, any other gets single datagrams, which the kernel makes of them on the generator's time.

using System.Net;
using Tmds.Linux;
using VtepDataPlane.EndToEnd.Interop;
using VtepDataPlane.EndToEnd.Relay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Generators;

/// <summary>What stands before the frame in a contender's datagram.</summary>
internal enum DatagramFormat
{
    /// <summary>Nothing: the plain relay.</summary>
    Bare,

    /// <summary>A virtio header: the ceiling.</summary>
    VirtioHeader,

    /// <summary>RFC 7348.</summary>
    Vxlan,
}

/// <summary>Datagrams to a contender.</summary>
internal static unsafe class DatagramGenerator
{
    private const int TrainLength = 64;
    private const ushort FirstSourcePort = 50000;

    /// <summary>Never returns: a generator ends by a signal.</summary>
    /// <param name="from">Where datagrams come from; each flow has a port of its own.</param>
    /// <param name="to">The contender.</param>
    /// <param name="format">Its datagrams.</param>
    /// <param name="vni">For VXLAN.</param>
    /// <param name="frames">One of each flow.</param>
    public static void Run(IPAddress from, IPEndPoint to, DatagramFormat format, Vni vni, byte[][] frames)
    {
        msghdr* trains = Native.Array<msghdr>(frames.Length);
        int[] sockets = new int[frames.Length];
        for (int i = 0; i < frames.Length; i++)
        {
            sockets[i] = Descriptors.ConnectedUdp(new IPEndPoint(from, FirstSourcePort + i), to);
            trains[i] = Train([.. Prefix(format, vni), .. frames[i]]);
        }

        while (true)
        {
            // What the trains point to is never freed. Errors are of no interest: the next train is due.
            for (int i = 0; i < sockets.Length; i++)
                LibC.sendmsg(sockets[i], trains + i, 0);
        }
    }

    private static byte[] Prefix(DatagramFormat format, Vni vni)
    {
        byte[] prefix = new byte[format switch { DatagramFormat.Bare => 0, DatagramFormat.VirtioHeader => CeilingRelay.HeaderSize, _ => VxlanHeader.Size }];
        if (format == DatagramFormat.Vxlan)
            VxlanHeader.Write(prefix, vni);
        return prefix;
    }

    // Every pointer is into memory that is never freed, of the length given.
    private static msghdr Train(byte[] datagram)
    {
        int count = Math.Min(TrainLength, SendLimits.MaxSend / datagram.Length);
        byte* bytes = Native.Array<byte>(count * datagram.Length);
        for (int i = 0; i < count; i++)
            datagram.CopyTo(new Span<byte>(bytes + i * datagram.Length, datagram.Length));
        iovec* buffer = Native.Array<iovec>(1);
        *buffer = new iovec { iov_base = bytes, iov_len = count * datagram.Length };
        byte* control = Native.Array<byte>(SegmentControl.Space);
        SegmentControl.Write(control, (ushort)datagram.Length);
        return new msghdr { msg_iov = buffer, msg_iovlen = 1, msg_control = control, msg_controllen = SegmentControl.Space };
    }
}
