// An IPv4 or IPv6 address as a value (in the sense of inet_pton(3)): two integers and a family, compared without
// allocation, so that the frame path can hold VTEP addresses in tables. System.Net.IPAddress is a class and serves
// configuration and sockets of the control plane only. Zone indices are not part of it: where a link-local scope matters
// (multicast), the interface is given beside the address.

using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace VtepDataPlane.Wire;

/// <summary>An IPv4 (RFC 791) or IPv6 (RFC 4291) address. The default value is "none": neither family. Immutable.</summary>
public readonly struct InetAddress : IEquatable<InetAddress>, IComparable<InetAddress>
{
    private static readonly SearchValues<char> s_addressCharacters = SearchValues.Create("0123456789abcdefABCDEF:.");

    private readonly ulong _high;
    private readonly ulong _low;

    private InetAddress(byte version, ulong high, ulong low)
    {
        Version = version;
        _high = high;
        _low = low;
    }

    /// <summary>4, 6, or 0 for none.</summary>
    public byte Version { get; }

    /// <summary>Is an IPv4 address.</summary>
    public bool IsIPv4 => Version == 4;

    /// <summary>Is an IPv6 address.</summary>
    public bool IsIPv6 => Version == 6;

    /// <summary>Is no address at all (the default value).</summary>
    public bool IsNone => Version == 0;

    /// <summary>Upper 64 bits, host order (IPv6; 0 for IPv4).</summary>
    public ulong High => _high;

    /// <summary>Lower 64 bits, host order (IPv4: its 32 bits).</summary>
    public ulong Low => _low;

    /// <summary>Length on the wire in bytes: 4, 16, or 0 for none.</summary>
    public int Size => Version == 4 ? 4 : Version == 6 ? 16 : 0;

    /// <summary>224.0.0.0/4 or ff00::/8.</summary>
    public bool IsMulticast => Version == 4 ? (_low >> 28) == 0xE : Version == 6 && (_high >> 56) == 0xFF;

    /// <summary>0.0.0.0 or ::.</summary>
    public bool IsUnspecified => Version != 0 && (_high | _low) == 0;

    /// <summary>127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => Version == 4 ? (_low >> 24) == 127 : Version == 6 && _high == 0 && _low == 1;

    /// <summary>255.255.255.255.</summary>
    public bool IsLimitedBroadcast => Version == 4 && _low == 0xFFFF_FFFF;

    /// <summary>169.254.0.0/16 or fe80::/10: needs an interface to mean anything.</summary>
    public bool IsLinkLocal => Version == 4 ? (_low >> 16) == 0xA9FE : Version == 6 && (_high >> 54) == 0x3FA;

    /// <summary>One host's address: not none, unspecified, multicast or broadcast.</summary>
    public bool IsUnicast => Version != 0 && !IsUnspecified && !IsMulticast && !IsLimitedBroadcast;

    /// <summary>Reads four bytes in network order.</summary>
    /// <param name="source">At least four bytes; the first four are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer.</exception>
    public static InetAddress ReadIPv4(ReadOnlySpan<byte> source) => new(4, 0, BinaryPrimitives.ReadUInt32BigEndian(source));

    /// <summary>Reads sixteen bytes in network order.</summary>
    /// <param name="source">At least sixteen bytes; the first sixteen are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer.</exception>
    public static InetAddress ReadIPv6(ReadOnlySpan<byte> source) =>
        new(6, BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    /// <summary>An IPv4 address from its 32 bits in host order.</summary>
    /// <param name="value"><c>0xC6120001</c> for 198.18.0.1.</param>
    public static InetAddress FromIPv4(uint value) => new(4, 0, value);

    /// <summary>An IPv6 address from its two halves in host order.</summary>
    /// <param name="high">The upper 64 bits.</param>
    /// <param name="low">The lower 64 bits.</param>
    public static InetAddress FromIPv6(ulong high, ulong low) => new(6, high, low);

    /// <summary>Writes <see cref="Size"/> bytes in network order. The caller has checked the length.</summary>
    /// <param name="destination">Takes them at its start.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter: a bug in the caller.</exception>
    public void Write(Span<byte> destination)
    {
        if (Version == 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
        }
        else if (Version == 6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
            BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        }
    }

    /// <summary>
    /// Reads dotted-quad IPv4 or RFC 4291 IPv6 text: no zone index, no short, octal or hexadecimal IPv4 forms such as <c>10.1</c> or
    /// <c>010.0.0.1</c>. An IPv4-mapped IPv6 address becomes IPv4.
    /// </summary>
    /// <param name="text">The text; null is none.</param>
    /// <param name="address">What it says; none when the answer is false.</param>
    /// <returns>True when the text is an address.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out InetAddress address)
    {
        address = default;
        ReadOnlySpan<char> span = text;
        if (text is null || span.ContainsAnyExcept(s_addressCharacters) || !IPAddress.TryParse(text, out IPAddress? parsed))
            return false;
        ReadOnlySpan<char> quad = span[(span.LastIndexOf(':') + 1)..];
        bool isQuadExpected = parsed.AddressFamily == AddressFamily.InterNetwork || quad.Contains('.');
        if (isQuadExpected && !IsDottedQuad(quad))
            return false;
        address = From(parsed);
        return true;
    }

    /// <summary>Reads as <see cref="TryParse"/> does.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is no address.</exception>
    public static InetAddress Parse(string text) =>
        TryParse(text, out InetAddress address) ? address : throw new FormatException($"'{text}' is not an IPv4 or IPv6 address.");

    /// <summary>From the framework's class; an IPv4-mapped address becomes IPv4.</summary>
    /// <param name="address">IPv4 or IPv6; its zone index is left out.</param>
    public static InetAddress From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.TryWriteBytes(bytes, out int length) && length == 4 ? ReadIPv4(bytes) : ReadIPv6(bytes);
    }

    // IPAddress reads inet_aton(3) forms too, in which a leading zero means octal; its range check suffices for the values
    private static bool IsDottedQuad(ReadOnlySpan<char> text)
    {
        int parts = 0;
        foreach (Range range in text.Split('.'))
        {
            ReadOnlySpan<char> part = text[range];
            if (part.Length is 0 or > 3 || part.ContainsAnyExceptInRange('0', '9') || (part.Length > 1 && part[0] == '0'))
                return false;
            parts++;
        }

        return parts == 4;
    }

    /// <summary>As the framework's class. Allocates; control plane only.</summary>
    /// <exception cref="InvalidOperationException">This is no address.</exception>
    public IPAddress ToIPAddress()
    {
        if (IsNone)
            throw new InvalidOperationException("No address.");
        Span<byte> bytes = stackalloc byte[16];
        Write(bytes);
        return new IPAddress(bytes[..Size]);
    }

    /// <summary>RFC 5952 text, or <c>none</c>.</summary>
    public override string ToString() => IsNone ? "none" : ToIPAddress().ToString();

    /// <inheritdoc/>
    public bool Equals(InetAddress other) => _low == other._low && _high == other._high && Version == other.Version;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is InetAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low, Version);

    /// <inheritdoc/>
    public int CompareTo(InetAddress other)
    {
        int byVersion = Version.CompareTo(other.Version);
        int byHigh = byVersion != 0 ? byVersion : _high.CompareTo(other._high);
        return byHigh != 0 ? byHigh : _low.CompareTo(other._low);
    }

    /// <summary>Same family and address.</summary>
    public static bool operator ==(InetAddress left, InetAddress right) => left.Equals(right);

    /// <summary>Another family or address.</summary>
    public static bool operator !=(InetAddress left, InetAddress right) => !left.Equals(right);

    /// <summary>IPv4 before IPv6, then numeric.</summary>
    public static bool operator <(InetAddress left, InetAddress right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(InetAddress left, InetAddress right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(InetAddress left, InetAddress right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(InetAddress left, InetAddress right) => left.CompareTo(right) >= 0;
}
