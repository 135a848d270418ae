// The configuration of one access port: what the operator writes, checked by shape only. Whether the device exists and the
// bridge takes it is found out by whoever opens it.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>An address with its prefix length, as given to a port.</summary>
/// <param name="Address">Host address.</param>
/// <param name="PrefixLength">0 to 32, or 128 for IPv6.</param>
public readonly record struct InterfaceAddress(InetAddress Address, byte PrefixLength)
{
    /// <summary><c>198.19.0.1/24</c>.</summary>
    public override string ToString() => $"{Address}/{PrefixLength}";
}

/// <summary>One access port of a bridge domain. Immutable.</summary>
public sealed record PortConfig
{
    /// <summary>The TAP device's name, 1 to 15 bytes (IFNAMSIZ - 1).</summary>
    public required string Tap { get; init; }

    /// <summary>Bytes; null: derived from the route to the peers.</summary>
    public int? Mtu { get; init; }

    /// <summary>The device's own MAC; null: the kernel's choice.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>A Linux bridge to attach the device to; null: none.</summary>
    public string? Bridge { get; init; }

    /// <summary>Addresses to give the device.</summary>
    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>
    /// A port of the program's own, open already; null: the host opens a TAP device by that name. The VTEP takes it over and closes it when the
    /// port is removed. In configuration files there is no such thing.
    /// </summary>
    public IAccessPort? Device { get; init; }

    /// <summary>A port of the program's own.</summary>
    /// <param name="device">An open port; its name must be unique within the VTEP.</param>
    public static PortConfig Of(IAccessPort device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new PortConfig { Tap = device.Name, Device = device };
    }

    /// <summary>Same device, set up the same way.</summary>
    public bool Equals(PortConfig? other) =>
        other is not null && Device == other.Device && Tap == other.Tap && Mtu == other.Mtu && Mac == other.Mac && Bridge == other.Bridge
        && Addresses.SequenceEqual(other.Addresses);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Tap, Mtu, Mac, Bridge);
}
