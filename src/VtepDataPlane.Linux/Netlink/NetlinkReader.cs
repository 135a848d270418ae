// Reading netlink: a datagram is a row of messages, a message is a header, a fixed structure and a row of attributes, and an
// attribute may hold attributes again (netlink(7), <linux/netlink.h>). Every length is checked against the bytes that are
// there before a byte is read: a length that lies ends the row, and a value that is too short reads as "not there". Nothing
// here throws, whatever the bytes are; each step consumes at least a header, so every row ends. Integers are in host order.

using System.Runtime.InteropServices;
using System.Text;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>One message, borrowed from the receive buffer.</summary>
internal readonly ref struct NetlinkMessage(ushort type, ushort flags, uint sequence, ReadOnlySpan<byte> payload)
{
    public ushort Type => type;

    public ushort Flags => flags;

    public uint Sequence => sequence;

    /// <summary>What follows the header, without padding.</summary>
    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Attributes behind a fixed structure of <paramref name="size"/> bytes; none when the message is shorter.</summary>
    public NetlinkAttributes AttributesAfter(int size)
    {
        int start = Netlink.Align(size);
        return new NetlinkAttributes(start <= Payload.Length ? Payload[start..] : default);
    }
}

/// <summary>The messages of a datagram, in order.</summary>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>False at the end, or where a header's length can't be true.</summary>
    public bool TryNext(out NetlinkMessage message)
    {
        message = default;
        if (_rest.Length < Rtnl.NLMSG_HDRLEN)
            return false;
        uint length = MemoryMarshal.Read<uint>(_rest);
        if (length < Rtnl.NLMSG_HDRLEN || length > (uint)_rest.Length)
            return false;
        message = new NetlinkMessage(
            MemoryMarshal.Read<ushort>(_rest[4..]),
            MemoryMarshal.Read<ushort>(_rest[6..]),
            MemoryMarshal.Read<uint>(_rest[8..]),
            _rest[Rtnl.NLMSG_HDRLEN..(int)length]);
        _rest = _rest[Math.Min(Netlink.Align((int)length), _rest.Length)..];
        return true;
    }
}

/// <summary>A row of attributes.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>False at the end, or where a length can't be true.</summary>
    public bool TryNext(out NetlinkAttribute attribute)
    {
        attribute = default;
        if (_rest.Length < Rtnl.NLA_HDRLEN)
            return false;
        int length = MemoryMarshal.Read<ushort>(_rest);
        if (length < Rtnl.NLA_HDRLEN || length > _rest.Length)
            return false;
        int type = MemoryMarshal.Read<ushort>(_rest[2..]) & Rtnl.NLA_TYPE_MASK;
        attribute = new NetlinkAttribute(type, _rest[Rtnl.NLA_HDRLEN..length]);
        _rest = _rest[Math.Min(Netlink.Align(length), _rest.Length)..];
        return true;
    }

    /// <summary>The first attribute of a type among those not read yet; its value is empty when there is none.</summary>
    public NetlinkAttribute Find(int type)
    {
        while (TryNext(out NetlinkAttribute attribute))
        {
            if (attribute.Type == type)
                return attribute;
        }

        return default;
    }
}

/// <summary>One attribute, borrowed from the receive buffer.</summary>
internal readonly ref struct NetlinkAttribute(int type, ReadOnlySpan<byte> value)
{
    /// <summary>Without the nested and byte-order bits.</summary>
    public int Type => type;

    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>The attributes inside.</summary>
    public NetlinkAttributes Nested => new(Value);

    /// <summary>A 32-bit integer in host order; 0 when the value is shorter.</summary>
    public uint AsUInt32 => Value.Length >= sizeof(uint) ? MemoryMarshal.Read<uint>(Value) : 0;

    /// <summary>A 32-bit index or length in host order; 0 when the value is shorter or would be negative.</summary>
    public int AsInt32 => Math.Max((int)AsUInt32, 0);

    /// <summary>Text up to the first NUL.</summary>
    public string AsString
    {
        get
        {
            int end = Value.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
        }
    }
}

/// <summary>What messages and attributes have in common.</summary>
internal static class Netlink
{
    /// <summary>Everything begins on a multiple of four bytes.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}
