// DHCP for IPv4 as far as a switch reads it (RFC 2131 section 2, options RFC 2132): what a server gives to whom. Nothing is written.
//
//   op (1) htype (1) hlen (1) hops (1) | xid, secs, flags (8) | ciaddr (4) | yiaddr (4) | siaddr, giaddr (8) | chaddr (16) | sname, file (192)
//   | magic cookie (4) | options: type (1) length (1) value; 0 pads, 255 ends
//
// An option that runs over the end makes the message none. Options moved into sname and file (overload) are not looked for: the message type is
// not one a server moves there.
//
// Any thread; no allocation; never throws.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>A message from a DHCP server to an Ethernet client.</summary>
/// <param name="Type">Option 53, see <see cref="Ack"/>.</param>
/// <param name="YourAddress">The address the client is given; 0.0.0.0 when it isn't about that.</param>
/// <param name="ClientMac">The client.</param>
internal readonly record struct DhcpReply(byte Type, InetAddress YourAddress, MacAddress ClientMac)
{
    /// <summary>The UDP port servers send from.</summary>
    public const ushort ServerPort = 67;

    /// <summary>The UDP port clients listen at.</summary>
    public const ushort ClientPort = 68;

    /// <summary>Type: the address is the client's now.</summary>
    public const byte Ack = 5;

    // op 2 (reply), htype 1 (Ethernet), hlen 6
    private const uint ReplyToEthernet = 0x02_01_06;
    private const uint MagicCookie = 0x6382_5363;
    private const int YourAddressOffset = 16;
    private const int ClientMacOffset = 28;
    private const int CookieOffset = 236;
    private const int OptionsOffset = 240;

    private const byte PadOption = 0;
    private const byte TypeOption = 53;
    private const byte EndOption = 255;

    /// <summary>False when it is no reply of a DHCP server to an Ethernet client, or is cut short.</summary>
    /// <param name="payload">What is behind the UDP header.</param>
    /// <param name="reply">What it says.</param>
    public static bool TryParse(ReadOnlySpan<byte> payload, out DhcpReply reply)
    {
        reply = default;
        if (payload.Length < OptionsOffset || BinaryPrimitives.ReadUInt32BigEndian(payload) >> 8 != ReplyToEthernet
            || BinaryPrimitives.ReadUInt32BigEndian(payload[CookieOffset..]) != MagicCookie
            || !TryFindType(payload[OptionsOffset..], out byte type))
            return false;
        reply = new DhcpReply(type, InetAddress.ReadIPv4(payload[YourAddressOffset..]), MacAddress.Read(payload[ClientMacOffset..]));
        return true;
    }

    private static bool TryFindType(ReadOnlySpan<byte> options, out byte type)
    {
        type = 0;
        while (!options.IsEmpty && options[0] != EndOption)
        {
            int size = options[0] == PadOption ? 1 : options.Length > 1 ? 2 + options[1] : int.MaxValue;
            if (size > options.Length)
                return false;
            if (options[0] == TypeOption && size == 3)
                type = options[2];
            options = options[size..];
        }

        return type != 0;
    }
}
