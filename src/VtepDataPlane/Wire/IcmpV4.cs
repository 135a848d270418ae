// ICMP for IPv4 (RFC 792): the types and codes a VTEP writes or has to tell apart. All messages have 8 bytes of header.

namespace VtepDataPlane.Wire;

/// <summary>ICMPv4 types, codes and offsets.</summary>
public static class IcmpV4
{
    /// <summary>Bytes of header in every message: type, code, checksum, four bytes that depend on the type.</summary>
    public const int HeaderSize = 8;

    /// <summary>Type of an answer to a ping.</summary>
    public const byte EchoReply = 0;

    /// <summary>Type: destination unreachable; an error.</summary>
    public const byte DestinationUnreachable = 3;

    /// <summary>Code of <see cref="DestinationUnreachable"/>: too long for the next hop, and DF is set (RFC 1191).</summary>
    public const byte FragmentationNeeded = 4;

    /// <summary>Type of a ping.</summary>
    public const byte EchoRequest = 8;

    internal const int ChecksumOffset = 2;
    internal const int NextHopMtuOffset = 6;

    private const byte SourceQuench = 4;
    private const byte Redirect = 5;
    private const byte TimeExceeded = 11;
    private const byte ParameterProblem = 12;

    /// <summary>Is an error message, which must not be answered with another (RFC 1122 section 3.2.2).</summary>
    public static bool IsError(byte type) => type is DestinationUnreachable or SourceQuench or Redirect or TimeExceeded or ParameterProblem;
}
