// Golden frames about neighbours: solicitations, advertisements, answers of DHCP servers, field by field.

using System.Globalization;
using System.Net;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests;

internal static class NeighborFrames
{
    /// <summary>A solicitation to the solicited-node group, or to one MAC; with the asker's MAC, unless told otherwise.</summary>
    public static byte[] Solicitation(
        MacAddress source, string sourceIp, string targetIp, MacAddress? destination = null, byte[]? options = null, byte hopLimit = 255)
    {
        byte[] target = IPAddress.Parse(targetIp).GetAddressBytes();
        string group = destination is null ? $"ff02::1:ff{target[13]:x2}:{target[14]:x2}{target[15]:x2}" : targetIp;
        MacAddress groupMac = MacAddress.Parse($"33:33:ff:{target[13]:x2}:{target[14]:x2}:{target[15]:x2}");
        byte[] payload = [.. target, .. options ?? (sourceIp == "::" ? [] : Option(1, source))];
        return TestFrames.IcmpEcho(source, destination ?? groupMac, sourceIp, group, 0, 0, payload, ttl: hopLimit, type: 135);
    }

    /// <summary>An advertisement; flags: 8 router, 4 solicited, 2 override. To all nodes unless somebody is named.</summary>
    public static byte[] Advertisement(
        MacAddress source, string targetIp, int flags, MacAddress? destination = null, string destinationIp = "ff02::1", byte[]? options = null) =>
        TestFrames.IcmpEcho(
            source, destination ?? MacAddress.Parse("33:33:00:00:00:01"), targetIp, destinationIp, flags << 12, 0,
            [.. IPAddress.Parse(targetIp).GetAddressBytes(), .. options ?? Option(2, source)], ttl: 255, type: 136);

    /// <summary>A link-layer address option: 1 of the source, 2 of the target.</summary>
    public static byte[] Option(byte type, MacAddress mac) => [type, 1, .. Bytes(mac)];

    /// <summary>What a DHCP server sends to a client; broadcast unless told otherwise.</summary>
    public static byte[] Dhcp(
        MacAddress server, MacAddress client, string yourIp, byte type = 5, MacAddress? destination = null, TestChecksum checksum = TestChecksum.Right) =>
        TestFrames.Udp(
            server, destination ?? MacAddress.Broadcast, "198.18.1.254", "255.255.255.255", 67, 68, DhcpMessage(client, yourIp, type), checksum: checksum);

    /// <summary>The message alone. Options: pad, server identifier, message type, lease time, end.</summary>
    public static byte[] DhcpMessage(MacAddress client, string yourIp, byte type) =>
    [
        2, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0, 0, 0, 0, 0, .. IPAddress.Parse(yourIp).GetAddressBytes(), 0, 0, 0, 0, 0, 0, 0, 0,
        .. Bytes(client), .. new byte[10 + 64 + 128], 0x63, 0x82, 0x53, 0x63, 0, 54, 4, 198, 18, 1, 254, 53, 1, type, 51, 4, 0, 0, 14, 16, 255,
    ];

    private static byte[] Bytes(MacAddress mac) => Convert.FromHexString(mac.Value.ToString("x12", CultureInfo.InvariantCulture));
}

/// <summary>The same bytes in front of a guard page and behind one.</summary>
internal ref struct Both(GuardedBuffer memory, ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _next = -1;

    public readonly ReadOnlySpan<byte> Current => _next == 0 ? memory.First(_bytes) : memory.Last(_bytes);

    public readonly Both GetEnumerator() => this;

    public bool MoveNext() => ++_next < 2;
}
