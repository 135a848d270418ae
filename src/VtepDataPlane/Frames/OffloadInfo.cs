// What a frame's offload metadata says, in the words of struct virtio_net_hdr (linux/virtio_net.h): the currency in which TAP
// devices, the Segmenter and the Coalescer speak about unfinished checksums and super-frames. Offsets count from the first
// byte of the Ethernet header, so a header pushed in front or popped off the frame doesn't change them.

namespace VtepDataPlane.Frames;

/// <summary>The kind of super-frame, values as VIRTIO_NET_HDR_GSO_*.</summary>
public enum GsoType : byte
{
    /// <summary>A plain frame.</summary>
    None = 0,

    /// <summary>TCP over IPv4, to be segmented.</summary>
    TcpIPv4 = 1,

    /// <summary>TCP over IPv6, to be segmented.</summary>
    TcpIPv6 = 4,

    /// <summary>UDP datagrams of equal size (UDP_SEGMENT), to be segmented.</summary>
    Udp = 5,
}

/// <summary>Offload metadata of one frame. The default value is a plain frame with a finished checksum.</summary>
public struct OffloadInfo : IEquatable<OffloadInfo>
{
    /// <summary>The transport checksum field holds only the pseudo-header sum (VIRTIO_NET_HDR_F_NEEDS_CSUM).</summary>
    public bool NeedsChecksum { get; set; }

    /// <summary>TCP with ECN: CWR belongs to the first segment only (VIRTIO_NET_HDR_GSO_ECN).</summary>
    public bool TcpEcn { get; set; }

    /// <summary>What kind of super-frame.</summary>
    public GsoType Gso { get; set; }

    /// <summary>Length of all headers of a super-frame in bytes (a hint; the kernel's own is not to be trusted).</summary>
    public ushort HeaderLength { get; set; }

    /// <summary>Payload bytes of each segment.</summary>
    public ushort GsoSize { get; set; }

    /// <summary>Where the checksummed region starts: the transport header, counted from the Ethernet header.</summary>
    public ushort ChecksumStart { get; set; }

    /// <summary>Where the checksum field is, counted from <see cref="ChecksumStart"/>: 16 for TCP, 6 for UDP.</summary>
    public ushort ChecksumOffset { get; set; }

    /// <summary>Is a super-frame.</summary>
    public readonly bool IsSuperFrame => Gso != GsoType.None;

    /// <summary>
    /// What it says fits a frame of that length: offsets within it, a known kind, a segment size, an unfinished checksum. What doesn't was
    /// made up by somebody (a virtual machine behind a TAP, say), and whoever finished the checksum would write outside the frame.
    /// </summary>
    /// <param name="frameLength">Bytes of the frame from its Ethernet header on.</param>
    public readonly bool IsSane(int frameLength)
    {
        if (NeedsChecksum && ChecksumStart + ChecksumOffset + 2 > frameLength)
            return false;
        if (!IsSuperFrame)
            return !TcpEcn;
        bool known = Gso is GsoType.TcpIPv4 or GsoType.TcpIPv6 or GsoType.Udp;
        bool ecnFits = !TcpEcn || Gso is not GsoType.Udp;
        return known && ecnFits && NeedsChecksum && GsoSize != 0 && HeaderLength <= frameLength;
    }

    /// <inheritdoc/>
    public readonly bool Equals(OffloadInfo other) =>
        NeedsChecksum == other.NeedsChecksum && TcpEcn == other.TcpEcn && Gso == other.Gso && HeaderLength == other.HeaderLength
        && GsoSize == other.GsoSize && ChecksumStart == other.ChecksumStart && ChecksumOffset == other.ChecksumOffset;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is OffloadInfo other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(NeedsChecksum, Gso, GsoSize, ChecksumStart, ChecksumOffset);

    /// <summary>Field by field.</summary>
    public static bool operator ==(OffloadInfo left, OffloadInfo right) => left.Equals(right);

    /// <summary>Field by field.</summary>
    public static bool operator !=(OffloadInfo left, OffloadInfo right) => !left.Equals(right);
}
