// What one asks of a network interface with RTM_SETLINK. A value; any thread.

using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>What to change of an interface; null leaves a property as it is.</summary>
internal readonly record struct LinkChange
{
    /// <summary>Set it up, or down.</summary>
    public bool? Up { get; init; }

    /// <summary>Bytes of the largest layer 3 packet.</summary>
    public int? Mtu { get; init; }

    /// <summary>Its Ethernet address.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Index of the bridge to attach it to; 0 releases it.</summary>
    public int? Master { get; init; }

    /// <summary>Frames its transmit queue holds.</summary>
    public int? TxQueueLength { get; init; }

    /// <summary>The group it belongs to, for deleting many at once; 0 is the default one.</summary>
    public int? Group { get; init; }

    /// <summary>Segments of the largest super-frame the kernel hands to it.</summary>
    public int? GsoMaxSegments { get; init; }

    /// <summary>Bytes of the largest super-frame the kernel hands to it.</summary>
    public int? GsoMaxSize { get; init; }

    /// <summary>Writes the attributes of RTM_SETLINK. <see cref="Up"/> is in the flags of the message's header.</summary>
    public void WriteAttributes(ref NetlinkWriter request)
    {
        WriteNumber(ref request, Rtnl.IFLA_MTU, Mtu);
        WriteNumber(ref request, Rtnl.IFLA_MASTER, Master);
        WriteNumber(ref request, Rtnl.IFLA_TXQLEN, TxQueueLength);
        WriteNumber(ref request, Rtnl.IFLA_GROUP, Group);
        WriteNumber(ref request, Rtnl.IFLA_GSO_MAX_SEGS, GsoMaxSegments);
        WriteNumber(ref request, Rtnl.IFLA_GSO_MAX_SIZE, GsoMaxSize);
        Mac?.Write(request.AppendAttribute(Rtnl.IFLA_ADDRESS, MacAddress.Size));
    }

    private static void WriteNumber(ref NetlinkWriter request, ushort type, int? value)
    {
        if (value is { } number)
            request.Attribute(type, (uint)number);
    }
}
