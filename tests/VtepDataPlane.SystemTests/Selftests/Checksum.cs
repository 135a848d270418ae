// The Internet checksum (RFC 1071) the slow way, two bytes at a time: independent of the one under test.

namespace VtepDataPlane.SystemTests.Selftests;

/// <summary>Internet checksums.</summary>
internal static class Checksum
{
    private const uint UdpProtocol = 17;

    /// <summary>Of a header whose checksum field is zero.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes) => Fold(Sum(bytes));

    /// <summary>Of a UDP datagram whose checksum field is zero; <paramref name="addresses"/> are both IP addresses as in the header.</summary>
    public static ushort OfUdp(ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> udp)
    {
        ushort checksum = Fold(Sum(addresses) + UdpProtocol + (uint)udp.Length + Sum(udp));
        return checksum == 0 ? ushort.MaxValue : checksum; // zero would say that there is none
    }

    private static ushort Fold(uint sum)
    {
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
            sum += (i & 1) == 0 ? (uint)bytes[i] << 8 : bytes[i];
        return sum;
    }
}
