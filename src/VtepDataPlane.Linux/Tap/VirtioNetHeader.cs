// struct virtio_net_hdr (linux/virtio_net.h), the ten bytes the kernel puts before every frame of a TAP with IFF_VNET_HDR:
//
//   0 flags  1 gso_type  2 hdr_len  4 gso_size  6 csum_start  8 csum_offset      (little-endian, TUNSETVNETLE)
//
// A header comes from our own kernel, but what it says may have been relayed from a virtual machine, so it is checked
// against the frame it stands before: offsets that point outside would make whoever finishes the checksum write there.
// Pure functions; any thread.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Tap;

/// <summary>Reads and writes the header between a TAP device and us.</summary>
internal static class VirtioNetHeader
{
    /// <summary>Bytes (TUNSETVNETHDRSZ).</summary>
    public const int Size = 10;

    private const int FlagsOffset = 0;
    private const int GsoTypeOffset = 1;
    private const int HeaderLengthOffset = 2;
    private const int GsoSizeOffset = 4;
    private const int ChecksumStartOffset = 6;
    private const int ChecksumOffsetOffset = 8;

    /// <summary>Reads the header of a frame of <paramref name="frameLength"/> bytes; false when it lies about the frame.</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, int frameLength, out OffloadInfo offload)
    {
        offload = default;
        byte gsoType = header[GsoTypeOffset];
        offload.NeedsChecksum = (header[FlagsOffset] & Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
        if (!offload.NeedsChecksum && gsoType == Libc.VIRTIO_NET_HDR_GSO_NONE)
            return true;
        offload.TcpEcn = (gsoType & Libc.VIRTIO_NET_HDR_GSO_ECN) != 0;
        offload.Gso = (GsoType)(gsoType & ~Libc.VIRTIO_NET_HDR_GSO_ECN);
        offload.HeaderLength = BinaryPrimitives.ReadUInt16LittleEndian(header[HeaderLengthOffset..]);
        offload.GsoSize = BinaryPrimitives.ReadUInt16LittleEndian(header[GsoSizeOffset..]);
        offload.ChecksumStart = BinaryPrimitives.ReadUInt16LittleEndian(header[ChecksumStartOffset..]);
        offload.ChecksumOffset = BinaryPrimitives.ReadUInt16LittleEndian(header[ChecksumOffsetOffset..]);
        return offload.IsSane(frameLength);
    }

    /// <summary>Writes all ten bytes of the header for a frame.</summary>
    public static void Write(Span<byte> header, in OffloadInfo offload)
    {
        header[FlagsOffset] = offload.NeedsChecksum ? Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM : (byte)0;
        header[GsoTypeOffset] = (byte)((byte)offload.Gso | (offload.TcpEcn ? Libc.VIRTIO_NET_HDR_GSO_ECN : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(header[HeaderLengthOffset..], offload.HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[GsoSizeOffset..], offload.GsoSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[ChecksumStartOffset..], offload.ChecksumStart);
        BinaryPrimitives.WriteUInt16LittleEndian(header[ChecksumOffsetOffset..], offload.ChecksumOffset);
    }
}
