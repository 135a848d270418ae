// The options, read strictly: what is missing or wrong is named, with what would be right.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Samples;

/// <summary>What the host and its VTEP are.</summary>
internal sealed record PipeHostOptions
{
    public InetAddress Local { get; private set; }

    public ushort Port { get; private set; } = UnderlayConfig.DefaultPort;

    public List<VtepEndpoint> Peers { get; } = [];

    public Vni Vni { get; private set; } = new(100);

    public MacAddress Mac { get; private set; } = MacAddress.Parse("02:00:00:00:00:01");

    public List<InetAddress> Addresses { get; } = [];

    public static bool TryParse(string[] args, [NotNullWhen(true)] out PipeHostOptions? options, [NotNullWhen(false)] out string? why)
    {
        options = new PipeHostOptions();
        var peers = new List<InetAddress>();
        why = args.Length % 2 == 0 ? null : $"{args[^1]} needs a value.";
        for (int i = 0; i + 1 < args.Length && why is null; i += 2)
            why = options.Take(args[i], args[i + 1], peers) ? null : $"{args[i]} {args[i + 1]} isn't understood: see the head of samples/PipeHost/Program.cs.";
        why ??= options.Local.IsNone ? "--local is missing: an address of this machine, such as 198.18.0.1."
            : peers.Count == 0 ? "--peer is missing: the address of another VTEP, such as 198.18.0.2."
            : options.Addresses.Count == 0 ? "--address is missing: what the host answers for, such as 198.19.0.1."
            : null;
        foreach (InetAddress peer in peers)
            options.Peers.Add(new VtepEndpoint(peer, options.Port));
        return why is null;
    }

    private bool Take(string name, string value, List<InetAddress> peers)
    {
        bool isAddress = InetAddress.TryParse(value, out InetAddress address);
        switch (name)
        {
            case "--local" when isAddress:
                Local = address;
                return true;
            case "--peer" when isAddress:
                peers.Add(address);
                return true;
            case "--address" when isAddress && address.IsUnicast:
                Addresses.Add(address);
                return true;
            case "--vni" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int vni) && vni <= 0xFF_FFFF:
                Vni = new Vni(vni);
                return true;
            case "--mac" when MacAddress.TryParse(value, out MacAddress mac) && mac.IsValidSource:
                Mac = mac;
                return true;
            case "--port" when ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0:
                Port = port;
                return true;
            default:
                return false;
        }
    }
}
