// Explicit congestion notification through a tunnel (RFC 6040). The two ECN bits are Not-ECT 00, ECT(1) 01, ECT(0) 10, CE 11.
//
// Into the tunnel the outer field copies the inner one (normal mode); the Linux kernel and Open vSwitch send CE out as ECT(0)
// instead, so that CE on arrival was set underway. Out of the tunnel, figure 4 of the RFC, the result for inner (rows), outer:
//
//                 Not-ECT  ECT(0)   ECT(1)   CE
//      Not-ECT    Not-ECT  Not-ECT  Not-ECT  drop
//      ECT(0)     ECT(0)   ECT(0)   ECT(1)   CE
//      ECT(1)     ECT(1)   ECT(1)   ECT(1)   CE
//      CE         CE       CE       CE       CE

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>ECN through a tunnel, RFC 6040.</summary>
internal static class Ecn
{
    /// <summary>The ECN bits of a traffic class.</summary>
    public const byte Mask = 3;

    /// <summary>Not ECN-capable.</summary>
    public const byte NotEct = 0;

    /// <summary>ECN-capable, ECT(1).</summary>
    public const byte Ect1 = 1;

    /// <summary>ECN-capable, ECT(0).</summary>
    public const byte Ect0 = 2;

    /// <summary>Congestion experienced.</summary>
    public const byte Ce = 3;

    private const int TrafficClassShiftIPv6 = 4;

    /// <summary>The outer ECN bits for a frame going into the tunnel.</summary>
    /// <param name="innerTrafficClass">The inner traffic class; its DSCP doesn't matter. 0 for what isn't IP.</param>
    /// <param name="congestionAsEct0">Send CE as ECT(0), as the kernel does.</param>
    public static byte Encapsulate(byte innerTrafficClass, bool congestionAsEct0)
    {
        byte ecn = (byte)(innerTrafficClass & Mask);
        return ecn == Ce && congestionAsEct0 ? Ect0 : ecn;
    }

    /// <summary>The inner ECN bits for a frame coming out of the tunnel.</summary>
    /// <param name="inner">The inner traffic class; only the ECN bits are looked at.</param>
    /// <param name="outer">The outer traffic class; only the ECN bits are looked at.</param>
    /// <param name="result">The ECN bits the frame must go on with.</param>
    /// <returns>False when the frame must be dropped: congestion that its receiver couldn't be told of.</returns>
    public static bool TryDecapsulate(byte inner, byte outer, out byte result)
    {
        inner &= Mask;
        outer &= Mask;
        result = (inner, outer) switch
        {
            (NotEct, _) => NotEct,
            (_, Ce) => Ce,
            (Ect0, Ect1) => Ect1,
            _ => inner,
        };
        return inner != NotEct || outer != Ce;
    }

    /// <summary>Sets the ECN bits of the IP header in a frame, and updates an IPv4 header checksum. Not IP: nothing to set.</summary>
    /// <param name="frame">The frame, changed in place.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="ecn">The bits, 0 to 3.</param>
    public static void Set(Span<byte> frame, in FrameHeaders headers, byte ecn)
    {
        if (headers.IpVersion == 0)
            return;
        Span<byte> header = frame[headers.NetworkOffset..];
        int shift = headers.IpVersion == 6 ? TrafficClassShiftIPv6 : 0;
        ushort before = BinaryPrimitives.ReadUInt16BigEndian(header);
        ushort after = (ushort)((before & ~(Mask << shift)) | ((ecn & Mask) << shift));
        BinaryPrimitives.WriteUInt16BigEndian(header, after);
        if (headers.IpVersion == 4)
        {
            Span<byte> field = header[Ipv4Header.ChecksumOffset..];
            ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(field);
            BinaryPrimitives.WriteUInt16BigEndian(field, InternetChecksum.Update(checksum, before, after));
        }
    }
}
