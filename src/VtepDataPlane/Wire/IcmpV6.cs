// ICMP for IPv6 (RFC 4443) and neighbour discovery (RFC 4861): the types a VTEP writes or has to tell apart.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>ICMPv6 types and offsets.</summary>
public static class IcmpV6
{
    /// <summary>Bytes of header: type, code, checksum, four bytes that depend on the type.</summary>
    public const int HeaderSize = 8;

    /// <summary>Type: too long for the next link; an error.</summary>
    public const byte PacketTooBig = 2;

    /// <summary>Type of a ping.</summary>
    public const byte EchoRequest = 128;

    /// <summary>Type of an answer to a ping.</summary>
    public const byte EchoReply = 129;

    /// <summary>Type: who has this address? (RFC 4861 section 4.3)</summary>
    public const byte NeighborSolicitation = 135;

    /// <summary>Type: I have this address (RFC 4861 section 4.4).</summary>
    public const byte NeighborAdvertisement = 136;

    /// <summary>Type: there is a better first hop (RFC 4861 section 4.5).</summary>
    public const byte Redirect = 137;

    internal const int ChecksumOffset = 2;
    internal const int MtuOffset = 4;

    private const byte FirstInformational = 128;

    /// <summary>Is an error or a redirect, which must not be answered with an error (RFC 4443 section 2.4 e).</summary>
    public static bool IsError(byte type) => type is < FirstInformational or Redirect;

    /// <summary>Writes the IP header of a packet whose ICMPv6 message fills all behind it, and the message's checksum, which must be zero before.</summary>
    internal static void Seal(Span<byte> packet, in InetAddress source, in InetAddress destination, byte hopLimit)
    {
        Span<byte> message = packet[Ipv6Header.Size..];
        new Ipv6Header
        {
            PayloadLength = (ushort)message.Length,
            NextHeader = IpProtocol.IcmpV6,
            HopLimit = hopLimit,
            Source = source,
            Destination = destination,
        }.Write(packet);
        ulong pseudo = InternetChecksum.PseudoHeader(source, destination, IpProtocol.IcmpV6, message.Length);
        ushort checksum = (ushort)~InternetChecksum.Fold(InternetChecksum.Sum(message, pseudo));
        BinaryPrimitives.WriteUInt16BigEndian(message[ChecksumOffset..], checksum);
    }
}
