// Socket structures and options of ip(7), ipv6(7), udp(7) and socket(7) that Tmds.LibC lacks or wraps in properties whose
// layout we want to see: linux/errqueue.h, linux/filter.h, linux/in6.h, linux/udp.h.

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    internal const int IPV6_MULTICAST_ALL = 29;
    internal const int IPV6_AUTOFLOWLABEL = 70;
    internal const int UDP_NO_CHECK6_RX = 102;
    internal const int UDP_SEGMENT = 103;
    internal const int UDP_GRO = 104;

    internal const byte ICMP_DEST_UNREACH = 3;
    internal const byte ICMP_FRAG_NEEDED = 4;
    internal const byte ICMPV6_PKT_TOOBIG = 2;

    /// <summary>struct sock_extended_err of ip(7), IP_RECVERR.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct sock_extended_err
    {
        public uint ee_errno;
        public byte ee_origin;
        public byte ee_type;
        public byte ee_code;
        public byte ee_pad;
        public uint ee_info;
        public uint ee_data;
    }

    /// <summary>struct sock_filter: one instruction of classic BPF.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct sock_filter
    {
        public ushort code;
        public byte jt;
        public byte jf;
        public uint k;
    }

    /// <summary>struct sock_fprog: a program of classic BPF.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct sock_fprog
    {
        public ushort len;
        public sock_filter* filter;
    }

    /// <summary>struct in_pktinfo of ip(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct in_pktinfo
    {
        public int ipi_ifindex;
        public fixed byte ipi_spec_dst[4];
        public fixed byte ipi_addr[4];
    }

    /// <summary>struct in6_pktinfo of ipv6(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct in6_pktinfo
    {
        public fixed byte ipi6_addr[16];
        public uint ipi6_ifindex;
    }

    /// <summary>struct ip_mreqn of ip(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ip_mreqn
    {
        public fixed byte imr_multiaddr[4];
        public fixed byte imr_address[4];
        public int imr_ifindex;
    }

    /// <summary>struct ipv6_mreq of ipv6(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ipv6_mreq
    {
        public fixed byte ipv6mr_multiaddr[16];
        public uint ipv6mr_ifindex;
    }
}
