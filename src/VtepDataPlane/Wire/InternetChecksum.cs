// The Internet checksum (RFC 1071): the one's complement of the one's-complement sum of 16-bit words.
//
// Byte order. Every number here, sums included, counts words as BinaryPrimitives.ReadUInt16BigEndian reads them, so a field of
// a header may be added to a sum as the plain number it is, and results are stored with BinaryPrimitives.WriteUInt16BigEndian.
// Inside, words are summed in the machine's order, which RFC 1071 section 2 (B) allows, and swapped once at the end.
//
// Sums. A partial sum is a ulong that isn't folded: add to it freely, it overflows after 2^48 words. A folded sum is 0 only when
// every word was 0; otherwise it is 1 to 0xFFFF, so zero has one representation for one input, whichever way it was summed.
//
// Speed. Vectors of 64-bit lanes are split into their 32-bit halves and added up in two accumulators, which can't overflow
// before 2^32 vectors, so the loop needs no carries. The width is the widest the machine has; short inputs take a scalar loop.
// Any thread; no allocation.

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace VtepDataPlane.Wire;

/// <summary>The Internet checksum, RFC 1071. Numbers are as read and written big-endian.</summary>
public static class InternetChecksum
{
    /// <summary>Adds up the 16-bit words of <paramref name="data"/>; an odd last byte counts as followed by a zero.</summary>
    /// <param name="data">Any length. To add several pieces, all but the last must have even length.</param>
    /// <param name="initial">A partial sum to go on from.</param>
    /// <returns>A partial sum, for <see cref="Fold"/> or to go on from.</returns>
    public static ulong Sum(ReadOnlySpan<byte> data, ulong initial = 0)
    {
        // below two vectors the set-up and the tail cost more than the lanes save
        if (Vector512.IsHardwareAccelerated && data.Length >= 2 * Vector512<byte>.Count)
            return initial + Sum512(data);
        if (Vector256.IsHardwareAccelerated && data.Length >= 2 * Vector256<byte>.Count)
            return initial + Sum256(data);
        if (Vector128.IsHardwareAccelerated && data.Length >= 2 * Vector128<byte>.Count)
            return initial + Sum128(data);
        return initial + SumScalar(data);
    }

    /// <summary>Folds a partial sum to 16 bits, not complemented.</summary>
    public static ushort Fold(ulong sum)
    {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }

    /// <summary>The checksum of <paramref name="data"/>: folded and complemented. 0 over data that holds its own right checksum.</summary>
    public static ushort Compute(ReadOnlySpan<byte> data) => (ushort)~Fold(Sum(data));

    /// <summary>The sum of the pseudo-header TCP, UDP and ICMPv6 put in front (RFC 9293 section 3.1, RFC 8200 section 8.1).</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address, of the same family.</param>
    /// <param name="protocol">Transport protocol.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    /// <returns>A partial sum.</returns>
    public static ulong PseudoHeader(in InetAddress source, in InetAddress destination, byte protocol, int length) =>
        WordsOf(source) + WordsOf(destination) + protocol + (uint)length;

    /// <summary>As <see cref="PseudoHeader"/>, with addresses and protocol of a parsed frame.</summary>
    /// <param name="frame">An IP packet in Ethernet.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="transportLength">Bytes of transport header and payload.</param>
    /// <returns>A partial sum; without the addresses when the frame isn't IP.</returns>
    public static ulong PseudoHeaderSum(ReadOnlySpan<byte> frame, in FrameHeaders headers, int transportLength)
    {
        ulong rest = headers.Protocol + (ulong)(uint)transportLength;
        return headers.IpVersion switch
        {
            4 => SumScalar(frame.Slice(headers.NetworkOffset + Ipv4Header.SourceOffset, 8)) + rest,
            6 => SumScalar(frame.Slice(headers.NetworkOffset + Ipv6Header.SourceOffset, 32)) + rest,
            _ => rest,
        };
    }

    /// <summary>The checksum after one 16-bit word under it changed (RFC 1624 section 3, equation 3).</summary>
    /// <param name="checksum">The checksum field before.</param>
    /// <param name="oldWord">The word before.</param>
    /// <param name="newWord">The word now.</param>
    public static ushort Update(ushort checksum, ushort oldWord, ushort newWord) =>
        (ushort)~Fold((ulong)(ushort)~checksum + (ushort)~oldWord + newWord);

    internal static ulong Sum512(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<Vector512<ulong>> vectors = MemoryMarshal.Cast<byte, Vector512<ulong>>(data);
        Vector512<ulong> mask = Vector512.Create(0xFFFF_FFFFUL);
        Vector512<ulong> low = Vector512<ulong>.Zero;
        Vector512<ulong> high = Vector512<ulong>.Zero;
        foreach (ref readonly Vector512<ulong> vector in vectors)
        {
            low += vector & mask;
            high += vector >>> 32;
        }

        return Finish(Vector512.Sum(low) + Vector512.Sum(high), data[(vectors.Length * Vector512<byte>.Count)..]);
    }

    internal static ulong Sum256(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<Vector256<ulong>> vectors = MemoryMarshal.Cast<byte, Vector256<ulong>>(data);
        ReadOnlySpan<byte> tail = data[(vectors.Length * Vector256<byte>.Count)..];
        Vector256<ulong> mask = Vector256.Create(0xFFFF_FFFFUL);
        Vector256<ulong> low = Vector256<ulong>.Zero;
        Vector256<ulong> high = Vector256<ulong>.Zero;
        // four a round: the native build runs this one, and the speed of its short loop hung on the address it came to lie at
        for (; vectors.Length >= 4; vectors = vectors[4..])
        {
            low += (vectors[0] & mask) + (vectors[1] & mask) + (vectors[2] & mask) + (vectors[3] & mask);
            high += (vectors[0] >>> 32) + (vectors[1] >>> 32) + (vectors[2] >>> 32) + (vectors[3] >>> 32);
        }

        foreach (ref readonly Vector256<ulong> vector in vectors)
        {
            low += vector & mask;
            high += vector >>> 32;
        }

        return Finish(Vector256.Sum(low) + Vector256.Sum(high), tail);
    }

    internal static ulong Sum128(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<Vector128<ulong>> vectors = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        Vector128<ulong> mask = Vector128.Create(0xFFFF_FFFFUL);
        Vector128<ulong> low = Vector128<ulong>.Zero;
        Vector128<ulong> high = Vector128<ulong>.Zero;
        foreach (ref readonly Vector128<ulong> vector in vectors)
        {
            low += vector & mask;
            high += vector >>> 32;
        }

        return Finish(Vector128.Sum(low) + Vector128.Sum(high), data[(vectors.Length * Vector128<byte>.Count)..]);
    }

    internal static ulong SumScalar(ReadOnlySpan<byte> data) => Finish(0, data);

    // adds the last bytes to a sum of words in machine order, and turns it into the order of the wire
    private static ulong Finish(ulong sum, ReadOnlySpan<byte> tail)
    {
        while (tail.Length >= sizeof(ulong))
        {
            ulong word = MemoryMarshal.Read<ulong>(tail);
            sum += (uint)word + (word >> 32);
            tail = tail[sizeof(ulong)..];
        }

        if (tail.Length >= sizeof(uint))
        {
            sum += MemoryMarshal.Read<uint>(tail);
            tail = tail[sizeof(uint)..];
        }

        if (tail.Length >= sizeof(ushort))
        {
            sum += MemoryMarshal.Read<ushort>(tail);
            tail = tail[sizeof(ushort)..];
        }

        if (tail.Length == 1)
            sum += BitConverter.IsLittleEndian ? tail[0] : (uint)tail[0] << 8;
        ushort folded = Fold(sum);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
    }

    private static ulong WordsOf(in InetAddress address) =>
        (address.High >> 32) + (uint)address.High + (address.Low >> 32) + (uint)address.Low;
}
