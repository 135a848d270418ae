// An IPv4 or IPv6 prefix as a value: which addresses are meant. Immutable; any thread.

using System.Globalization;

namespace VtepDataPlane.Wire;

/// <summary>A prefix (RFC 4632, RFC 4291 section 2.3): an address and how many of its bits count. Immutable.</summary>
public readonly record struct InetPrefix
{
    private InetPrefix(InetAddress network, byte length)
    {
        Network = network;
        Length = length;
    }

    /// <summary>Its address; the bits that don't count are zero.</summary>
    public InetAddress Network { get; }

    /// <summary>Bits that count: 0 to 32 or 128.</summary>
    public byte Length { get; }

    /// <summary>The prefix of so many bits that an address is in. The length must fit the family.</summary>
    /// <param name="address">Any address in it.</param>
    /// <param name="length">Bits that count: 0 to 32 for IPv4, 0 to 128 for IPv6.</param>
    public static InetPrefix Of(InetAddress address, byte length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.Size * 8);
        return new InetPrefix(Cut(address, length), length);
    }

    /// <summary>Reads <c>198.18.0.0/15</c> or <c>fd00::/8</c>. Host bits must be zero.</summary>
    /// <param name="text">The text; null is none.</param>
    /// <param name="prefix">What it says; not to be used when the answer is false.</param>
    /// <returns>True when the text is a prefix.</returns>
    public static bool TryParse(string? text, out InetPrefix prefix)
    {
        prefix = default;
        int slash = text?.IndexOf('/') ?? -1;
        bool ok = slash > 0 && InetAddress.TryParse(text![..slash], out InetAddress network)
            && byte.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out byte length)
            && length <= network.Size * 8 && Cut(network, length) == network && Make(network, length, out prefix);
        return ok;
    }

    /// <summary>An address of the same family whose first bits are the prefix's.</summary>
    /// <param name="address">Of any family, or none.</param>
    public bool Contains(InetAddress address) => address.Version == Network.Version && !Network.IsNone && Cut(address, Length) == Network;

    /// <summary><c>198.18.0.0/15</c>.</summary>
    public override string ToString() => $"{Network}/{Length}";

    private static bool Make(InetAddress network, byte length, out InetPrefix prefix)
    {
        prefix = new InetPrefix(network, length);
        return true;
    }

    private static InetAddress Cut(InetAddress address, int length)
    {
        if (address.IsIPv4)
            return InetAddress.FromIPv4(length == 0 ? 0 : (uint)address.Low & (uint.MaxValue << (32 - length)));
        UInt128 bits = new UInt128(address.High, address.Low) & (length == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - length));
        return InetAddress.FromIPv6((ulong)(bits >> 64), (ulong)bits);
    }
}
