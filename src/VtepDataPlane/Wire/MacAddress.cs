// A 48-bit Ethernet address (IEEE 802) as a value: eight bytes in a register, compared and hashed as one integer.
// The first octet on the wire is the most significant of the 48 bits, so that numeric order is the order people read.
// Immutable; safe from any thread. Parsing never throws in its Try form.

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace VtepDataPlane.Wire;

/// <summary>A 48-bit Ethernet (MAC) address, IEEE 802-2014 section 8. Immutable.</summary>
public readonly struct MacAddress : IEquatable<MacAddress>, IComparable<MacAddress>
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 6;

    /// <summary>Characters of the text.</summary>
    internal const int TextLength = 17;

    private const ulong Mask = 0xFFFF_FFFF_FFFF;
    private const ulong GroupBit = 1UL << 40;
    private const ulong LocalBit = 1UL << 41;

    /// <summary>Takes the low 48 bits of <paramref name="value"/>, the first octet most significant.</summary>
    public MacAddress(ulong value) => Value = value & Mask;

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(Mask);

    /// <summary>00:00:00:00:00:00, which no station may have; the FDB's default entry (as in the kernel's vxlan).</summary>
    public static MacAddress Zero => default;

    /// <summary>The address as an integer below 2^48, first octet most significant.</summary>
    public ulong Value { get; }

    /// <summary>The group (I/G) bit is set: multicast or broadcast.</summary>
    public bool IsGroup => (Value & GroupBit) != 0;

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public bool IsBroadcast => Value == Mask;

    /// <summary>00:00:00:00:00:00.</summary>
    public bool IsZero => Value == 0;

    /// <summary>May stand as a frame's source: neither a group address nor all zeros (RFC 7348 has no word on it, IEEE 802 does).</summary>
    public bool IsValidSource => (Value & GroupBit) == 0 && Value != 0;

    /// <summary>The locally administered (U/L) bit is set.</summary>
    public bool IsLocallyAdministered => (Value & LocalBit) != 0;

    /// <summary>Reads six bytes. The caller has checked the length.</summary>
    /// <param name="source">At least six bytes; the first six are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer.</exception>
    public static MacAddress Read(ReadOnlySpan<byte> source) =>
        new(((ulong)BinaryPrimitives.ReadUInt32BigEndian(source) << 16) | BinaryPrimitives.ReadUInt16BigEndian(source[4..]));

    /// <summary>Writes six bytes. The caller has checked the length.</summary>
    /// <param name="destination">Takes them at its start.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter: a bug in the caller.</exception>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], (ushort)Value);
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)(Value >> 16));
    }

    /// <summary>Reads <c>02:00:5e:10:00:01</c> (colons or hyphens between pairs, any case).</summary>
    /// <param name="text">The text; null is none.</param>
    /// <param name="address">What it says; zero when the answer is false.</param>
    /// <returns>True when the text is a MAC address.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress address) => TryParse(text.AsSpan(), out address);

    /// <inheritdoc cref="TryParse(string?, out MacAddress)"/>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != TextLength)
            return false;
        char separator = text[2];
        if (separator is not (':' or '-'))
            return false;
        ulong value = 0;
        for (int i = 0; i < TextLength; i += 3)
        {
            if (i > 0 && text[i - 1] != separator)
                return false;
            if (!char.IsAsciiHexDigit(text[i]) || !char.IsAsciiHexDigit(text[i + 1]))
                return false;
            byte octet = byte.Parse(text.Slice(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            value = (value << 8) | octet;
        }

        address = new MacAddress(value);
        return true;
    }

    /// <summary>Reads as <see cref="TryParse(string?, out MacAddress)"/> does.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is no MAC address.</exception>
    public static MacAddress Parse(string text) =>
        TryParse(text, out MacAddress address)
            ? address
            : throw new FormatException($"'{text}' is not a MAC address; write six hex pairs, like 02:00:5e:10:00:01.");

    /// <summary>Lower case with colons: <c>02:00:5e:10:00:01</c>.</summary>
    public override string ToString() => string.Create(TextLength, this, static (chars, mac) => mac.Write(chars));

    /// <summary>Writes what <see cref="ToString"/> gives into the first <see cref="TextLength"/> characters. The caller has checked the length.</summary>
    internal void Write(Span<char> chars)
    {
        const string Digits = "0123456789abcdef";
        for (int i = 0; i < Size; i++)
        {
            int octet = (int)(Value >> (40 - 8 * i)) & 0xFF;
            chars[3 * i] = Digits[octet >> 4];
            chars[3 * i + 1] = Digits[octet & 0xF];
            if (i < Size - 1)
                chars[3 * i + 2] = ':';
        }
    }

    /// <inheritdoc/>
    public bool Equals(MacAddress other) => Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MacAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(MacAddress other) => Value.CompareTo(other.Value);

    /// <summary>Same address.</summary>
    public static bool operator ==(MacAddress left, MacAddress right) => left.Value == right.Value;

    /// <summary>Another address.</summary>
    public static bool operator !=(MacAddress left, MacAddress right) => left.Value != right.Value;

    /// <summary>Numeric order, first octet most significant.</summary>
    public static bool operator <(MacAddress left, MacAddress right) => left.Value < right.Value;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(MacAddress left, MacAddress right) => left.Value > right.Value;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(MacAddress left, MacAddress right) => left.Value <= right.Value;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(MacAddress left, MacAddress right) => left.Value >= right.Value;
}
