// What every contender runs on: two hosts on one cable.
//
//   host 1  eth0 ============ veth, MTU 1550 or 9000 ============ eth0  host 2
//           198.18.0.1/16, fd00:18::1/64           198.18.0.2/16, fd00:18::2/64
//
// and above it the contender's segment: 198.19.0.1 and .2, fd00:19::1 and ::2. Each measurement has a topology of its own, so no contender
// finds what another left.

using System.Net;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>How the underlay is.</summary>
/// <param name="Mtu">Of the cable.</param>
/// <param name="IsV6">Datagrams go over IPv6, and so does what is inside.</param>
/// <param name="HasOffloads">The cable carries super-frames whole.</param>
internal sealed record UnderlayPlan(int Mtu = 1550, bool IsV6 = false, bool HasOffloads = true)
{
    /// <summary>Longest UDP payload of one datagram.</summary>
    public int DatagramSize => Mtu - (IsV6 ? 48 : 28);

    /// <summary>What fits into VXLAN.</summary>
    public int VxlanMtu => Mtu - (IsV6 ? 70 : 50);
}

/// <summary>Two hosts; deleted on disposal.</summary>
internal sealed class Topology : IDisposable
{
    private const int ExtraSubnet = 1;

    public Topology(UnderlayPlan plan)
    {
        Plan = plan;
        One = new Host(1);
        try
        {
            Two = new Host(2);
            Connect();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public UnderlayPlan Plan { get; }

    public Host One { get; }

    public Host Two { get; } = null!;

    /// <summary>Gives host 2 that many more addresses, each the address of a peer that isn't there.</summary>
    public IReadOnlyList<IPAddress> AddPeers(int count)
    {
        var peers = Enumerable.Range(1, count).Select(i => IPAddress.Parse($"198.18.{ExtraSubnet}.{i}")).ToList();
        foreach (IPAddress peer in peers)
            Two.Ip($"addr add {peer}/16 dev {Host.UnderlayDevice}");
        return peers;
    }

    /// <summary>Host 2 throws away what arrives for the tunnel's port, right after it was counted.</summary>
    public void DropTunnelAtTwo()
    {
        Two.Exec("nft", "add table inet bench");
        Two.Exec("nft", "add chain inet bench early { type filter hook prerouting priority raw; }");
        Two.Exec("nft", $"add rule inet bench early udp dport {Segment.Port} drop");
    }

    /// <summary>Host 2 finishes checksums and segmentation before the cable: for a receiver that reads packets off the device.</summary>
    public void FinishAtTwo() => Two.Exec("ethtool", "-K", Host.UnderlayDevice, "tx", "off", "tso", "off", "gso", "off");

    /// <inheritdoc/>
    public void Dispose()
    {
        One.Dispose();
        Two?.Dispose();
    }

    private void Connect()
    {
        One.Ip($"link add {Host.UnderlayDevice} type veth peer name {Host.UnderlayDevice} netns {Two.Name}");
        foreach (Host host in (ReadOnlySpan<Host>)[One, Two])
        {
            host.Ip($"link set {Host.UnderlayDevice} mtu {Plan.Mtu} up");
            host.Ip($"addr add {host.Underlay(v6: false)}/16 dev {Host.UnderlayDevice}");
            host.Ip($"addr add {host.Underlay(v6: true)}/64 dev {Host.UnderlayDevice}");
            if (!Plan.HasOffloads)
                host.Exec("ethtool", "-K", Host.UnderlayDevice, "tso", "off", "gso", "off", "gro", "off");
        }
    }
}
