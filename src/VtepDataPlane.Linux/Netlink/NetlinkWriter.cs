// Writing one netlink request into a caller's span, in order: header, fixed structure, attributes, Finish. The span's length
// is checked before every store; running over is a programmer's error (our requests have a known, small size) and throws.
// Padding is written as zeros, since the kernel's strict checking looks at it.

using System.Runtime.InteropServices;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>Builds a request. Borrowed until it is sent.</summary>
internal ref struct NetlinkWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Begins a request; <see cref="Rtnl.NLM_F_REQUEST"/> is added to the flags.</summary>
    public NetlinkWriter(Span<byte> buffer, ushort type, ushort flags)
    {
        _buffer = buffer;
        Span<byte> header = Append(Rtnl.NLMSG_HDRLEN);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], (ushort)(flags | Rtnl.NLM_F_REQUEST));
    }

    /// <summary>Room for a fixed structure, zeroed and padded to four bytes.</summary>
    public Span<byte> Append(int size)
    {
        int padded = Netlink.Align(size);
        if (padded > _buffer.Length - _length)
            throw new InvalidOperationException("A netlink request doesn't fit in its buffer.");
        Span<byte> room = _buffer.Slice(_length, padded);
        room.Clear();
        _length += padded;
        return room[..size];
    }

    /// <summary>Adds an attribute and gives the room for its value.</summary>
    public Span<byte> AppendAttribute(ushort type, int size)
    {
        Span<byte> attribute = Append(Rtnl.NLA_HDRLEN + size);
        MemoryMarshal.Write(attribute, (ushort)(Rtnl.NLA_HDRLEN + size));
        MemoryMarshal.Write(attribute[2..], type);
        return attribute[Rtnl.NLA_HDRLEN..];
    }

    /// <summary>Adds an integer in host order.</summary>
    public void Attribute(ushort type, uint value) => MemoryMarshal.Write(AppendAttribute(type, sizeof(uint)), value);

    /// <summary>Writes length and sequence number into the header and gives the whole request.</summary>
    public readonly ReadOnlySpan<byte> Finish(uint sequence)
    {
        MemoryMarshal.Write(_buffer, (uint)_length);
        MemoryMarshal.Write(_buffer[8..], sequence);
        return _buffer[.._length];
    }
}
