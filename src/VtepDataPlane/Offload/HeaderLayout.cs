// Which bytes of the headers neighbours in a train may differ in, as masks over the whole header from the Ethernet destination to the last option.
// With them "same MACs, tags, addresses, ports, TOS, flow label, TTL, DF, acknowledgment, window, urgent pointer and options" is one comparison of
// two or three vectors:
//
//   IPv4   total length, identification, header checksum           TCP   sequence number, PSH, checksum
//   IPv6   payload length                                          UDP   length, checksum
//
// A layout is: how many tags (0 to 2), IPv4 or IPv6, TCP or UDP.
//
// Pure functions; any thread.

using System.Runtime.Intrinsics;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Compares headers of one layout.</summary>
internal static class HeaderLayout
{
    /// <summary>Room for the longest headers: Ethernet, two tags, IPv6 and TCP with all options (122 bytes), rounded up.</summary>
    public const int Room = 128;

    private const int Layouts = (FrameHeaders.MaximumVlanTags + 1) * 4;
    private const byte PushBit = (byte)TcpFlags.Psh;

    private static readonly byte[] s_masks = MakeMasks();

    /// <summary>The layout of a frame with TCP or UDP in IP.</summary>
    public static byte IndexOf(in FrameHeaders headers) =>
        (byte)((headers.VlanTags << 2) | (headers.IpVersion == 6 ? 2 : 0) | (headers.Protocol == IpProtocol.Udp ? 1 : 0));

    /// <summary>The headers may be those of neighbours in a train.</summary>
    /// <param name="layout">The layout of both.</param>
    /// <param name="first">Headers, 42 to 122 bytes.</param>
    /// <param name="second">Headers of the same length.</param>
    public static bool AreAlike(byte layout, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        ReadOnlySpan<byte> mask = s_masks.AsSpan(layout * Room, Room);
        int last = first.Length - Vector256<byte>.Count; // the last vector overlaps the one before
        Vector256<byte> difference = Difference(first, second, mask, last);
        for (int i = 0; i < last; i += Vector256<byte>.Count)
            difference |= Difference(first, second, mask, i);
        return difference == Vector256<byte>.Zero;
    }

    private static Vector256<byte> Difference(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> mask, int at) =>
        (Vector256.Create(first[at..]) ^ Vector256.Create(second[at..])) & Vector256.Create(mask[at..]);

    private static byte[] MakeMasks()
    {
        var masks = new byte[Layouts * Room];
        masks.AsSpan().Fill(0xFF);
        for (int layout = 0; layout < Layouts; layout++)
        {
            Span<byte> network = masks.AsSpan(layout * Room, Room)[(EthernetHeader.Size + (layout >> 2) * VlanTag.Size)..];
            bool isIPv6 = (layout & 2) != 0;
            if (isIPv6)
                network.Slice(Ipv6Header.PayloadLengthOffset, sizeof(ushort)).Clear();
            else
                ClearIPv4(network);
            ClearTransport(network[(isIPv6 ? Ipv6Header.Size : Ipv4Header.Size)..], isUdp: (layout & 1) != 0);
        }

        return masks;
    }

    private static void ClearIPv4(Span<byte> mask)
    {
        mask.Slice(Ipv4Header.TotalLengthOffset, sizeof(ushort)).Clear();
        mask.Slice(Ipv4Header.IdentificationOffset, sizeof(ushort)).Clear();
        mask.Slice(Ipv4Header.ChecksumOffset, sizeof(ushort)).Clear();
    }

    private static void ClearTransport(Span<byte> mask, bool isUdp)
    {
        if (isUdp)
        {
            mask.Slice(UdpHeader.LengthOffset, sizeof(ushort)).Clear();
            mask.Slice(UdpHeader.ChecksumOffset, sizeof(ushort)).Clear();
            return;
        }

        mask.Slice(TcpView.SequenceNumberOffset, sizeof(uint)).Clear();
        mask.Slice(TcpView.ChecksumOffset, sizeof(ushort)).Clear();
        mask[TcpView.FlagsOffset] = 0xFF & ~PushBit;
    }
}
