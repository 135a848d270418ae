// The control messages of segmentation (udp(7)): UDP_SEGMENT says to a send how long each datagram is, UDP_GRO says of a received
// buffer how long the datagrams were that it is made of. struct cmsghdr is length (8 bytes), level (4), type (4), then the data.

using System.Runtime.CompilerServices;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>Writes and reads the only control message a socket here ever has.</summary>
internal static unsafe class SegmentControl
{
    /// <summary>Bytes of room for one message: header and data, padded.</summary>
    public const int Space = 24;

    private const int HeaderSize = 16;
    private const int UdpLevel = 17;

    /// <summary>Writes UDP_SEGMENT; <paramref name="control"/> has <see cref="Space"/> bytes.</summary>
    public static void Write(byte* control, ushort size)
    {
        // All offsets lie within the Space bytes the caller gives.
        Unsafe.WriteUnaligned(control, (ulong)(HeaderSize + sizeof(ushort)));
        Unsafe.WriteUnaligned(control + 8, UdpLevel);
        Unsafe.WriteUnaligned(control + 12, Libc.UDP_SEGMENT);
        Unsafe.WriteUnaligned(control + HeaderSize, size);
    }

    /// <summary>The size in UDP_GRO, or 0 when the buffer is one datagram.</summary>
    public static int Read(in msghdr message)
    {
        if ((ulong)message.msg_controllen < HeaderSize + sizeof(int))
            return 0;

        // The kernel wrote at least this many bytes to the place it was given.
        var control = (byte*)message.msg_control;
        return Unsafe.ReadUnaligned<int>(control + 12) == Libc.UDP_GRO ? Unsafe.ReadUnaligned<int>(control + HeaderSize) : 0;
    }
}
