// The VXLAN network identifier: 24 bits (RFC 7348 section 5). A value that is a Vni is in range; the check stands in one place.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace VtepDataPlane.Wire;

/// <summary>A VXLAN network identifier, 0 to 16777215 (RFC 7348 section 5).</summary>
public readonly record struct Vni : IComparable<Vni>
{
    /// <summary>The largest VNI, 2^24 - 1.</summary>
    public const int MaxValue = 0xFF_FFFF;

    /// <summary>Takes a number from 0 to <see cref="MaxValue"/>.</summary>
    /// <param name="value">The identifier.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number doesn't fit in 24 bits.</exception>
    public Vni(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        Value = value;
    }

    /// <summary>The identifier, 0 to <see cref="MaxValue"/>.</summary>
    public int Value { get; }

    /// <summary>Reads a decimal VNI, digits only; false when it is none or out of range.</summary>
    /// <param name="text">The text; null is none.</param>
    /// <param name="vni">What it says; 0 when the answer is false.</param>
    /// <returns>True when the text is a VNI.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out Vni vni)
    {
        vni = default;
        if (text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false; // the framework's parser would let zero characters trail
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > MaxValue)
            return false;
        vni = new Vni(value);
        return true;
    }

    /// <summary>Decimal.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public int CompareTo(Vni other) => Value.CompareTo(other.Value);
}
