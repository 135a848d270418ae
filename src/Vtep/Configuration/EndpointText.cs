// A VTEP as people write it: 198.18.0.2, 198.18.0.2:8472, fd00::2 or [fd00::2]:8472. Without a port the underlay's is meant.

using System.Globalization;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Reads and writes VTEP endpoints, and reads interface addresses.</summary>
internal static class EndpointText
{
    /// <summary>What to say of text that is no endpoint.</summary>
    public static string Complaint(string text) =>
        $"{VtepConfigRules.Quote(text)} is no VTEP; write an address, like 198.18.0.2 or fd00::2, "
        + "or with a port 198.18.0.2:8472 or [fd00::2]:8472";

    /// <summary>Reads an endpoint; never throws.</summary>
    public static bool TryParse(string text, ushort defaultPort, out VtepEndpoint endpoint)
    {
        (string address, string? port) = Split(text);
        ushort number = defaultPort;
        bool ok = InetAddress.TryParse(address, out InetAddress parsed)
            && (port is null || (ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0));
        // Brackets belong to IPv6, and a port after them or none.
        ok = ok && (!text.StartsWith('[') || parsed.IsIPv6);
        endpoint = ok ? new VtepEndpoint(parsed, number) : default;
        return ok;
    }

    /// <summary>Writes an endpoint: without its port where that is the default.</summary>
    public static string Write(VtepEndpoint endpoint, ushort defaultPort) =>
        endpoint.Port == defaultPort ? endpoint.Address.ToString() : endpoint.ToString();

    /// <summary>Reads <c>198.19.0.1/24</c>; never throws. The prefix length may still be too long for the family.</summary>
    public static bool TryParseInterfaceAddress(string text, out InterfaceAddress address)
    {
        int slash = text.IndexOf('/');
        byte prefix = 0;
        InetAddress host = default;
        bool ok = slash > 0 && InetAddress.TryParse(text[..slash], out host)
            && byte.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix);
        address = ok ? new InterfaceAddress(host, prefix) : default;
        return ok;
    }

    private static (string Address, string? Port) Split(string text)
    {
        if (text.StartsWith('['))
        {
            int close = text.IndexOf("]:", StringComparison.Ordinal);
            return close > 0 ? (text[1..close], text[(close + 2)..]) : (text.EndsWith(']') ? text[1..^1] : text, null);
        }

        // More than one colon, and no brackets: all of it is an IPv6 address.
        int colon = text.IndexOf(':');
        return colon < 0 || colon != text.LastIndexOf(':') ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }
}
