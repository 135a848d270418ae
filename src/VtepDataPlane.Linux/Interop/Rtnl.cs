// Numbers of the kernel's route netlink, under the names they have in <linux/netlink.h>, <linux/rtnetlink.h>,
// <linux/if_link.h>, <linux/if_addr.h> and <linux/if.h>. All of it is kernel ABI: the same on every architecture.

namespace VtepDataPlane.Linux.Interop;

internal static class Rtnl
{
    public const int NETLINK_ROUTE = 0;

    // Socket options, level SOL_NETLINK.
    public const int NETLINK_CAP_ACK = 10;
    public const int NETLINK_EXT_ACK = 11;
    public const int NETLINK_GET_STRICT_CHK = 12;

    // nlmsghdr
    public const int NLMSG_HDRLEN = 16;
    public const ushort NLMSG_NOOP = 1;
    public const ushort NLMSG_ERROR = 2;
    public const ushort NLMSG_DONE = 3;
    public const ushort NLM_F_REQUEST = 0x01;
    public const ushort NLM_F_MULTI = 0x02;
    public const ushort NLM_F_ACK = 0x04;
    public const ushort NLM_F_DUMP_INTR = 0x10;
    public const ushort NLM_F_DUMP = 0x300;
    public const ushort NLM_F_REPLACE = 0x100;
    public const ushort NLM_F_EXCL = 0x200;
    public const ushort NLM_F_CREATE = 0x400;
    public const ushort NLM_F_CAPPED = 0x100;   // in an NLMSG_ERROR: the failing request isn't quoted
    public const ushort NLM_F_ACK_TLVS = 0x200; // in an NLMSG_ERROR: attributes follow
    public const ushort NLMSGERR_ATTR_MSG = 1;

    // nlattr
    public const int NLA_HDRLEN = 4;
    public const ushort NLA_TYPE_MASK = 0x3FFF; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    // Message types
    public const ushort RTM_NEWLINK = 16;
    public const ushort RTM_DELLINK = 17;
    public const ushort RTM_GETLINK = 18;
    public const ushort RTM_SETLINK = 19;
    public const ushort RTM_NEWADDR = 20;
    public const ushort RTM_DELADDR = 21;
    public const ushort RTM_GETADDR = 22;
    public const ushort RTM_NEWROUTE = 24;
    public const ushort RTM_DELROUTE = 25;
    public const ushort RTM_GETROUTE = 26;
    public const ushort RTM_NEWQDISC = 36;

    // Multicast groups, by number; bind(2) takes a mask in which group n is bit n - 1.
    public const int RTNLGRP_LINK = 1;
    public const int RTNLGRP_IPV4_IFADDR = 5;
    public const int RTNLGRP_IPV4_ROUTE = 7;
    public const int RTNLGRP_IPV6_IFADDR = 9;
    public const int RTNLGRP_IPV6_ROUTE = 11;

    // ifinfomsg and its attributes
    public const int IFINFOMSG_SIZE = 16;
    public const int IFNAMSIZ = 16;
    public const uint IFF_UP = 0x1;
    public const uint IFF_RUNNING = 0x40;
    public const uint IFF_MULTICAST = 0x1000;
    public const uint IFF_LOWER_UP = 0x1_0000;
    public const ushort IFLA_ADDRESS = 1;
    public const ushort IFLA_IFNAME = 3;
    public const ushort IFLA_MTU = 4;
    public const ushort IFLA_MASTER = 10;
    public const ushort IFLA_TXQLEN = 13;
    public const ushort IFLA_LINKINFO = 18;
    public const ushort IFLA_AF_SPEC = 26;
    public const ushort IFLA_GROUP = 27;
    public const ushort IFLA_EXT_MASK = 29;
    public const ushort IFLA_GSO_MAX_SEGS = 40;
    public const ushort IFLA_GSO_MAX_SIZE = 41;
    public const ushort IFLA_INFO_KIND = 1;
    public const ushort IFLA_INFO_DATA = 2;
    public const ushort IFLA_VXLAN_ID = 1;
    public const ushort IFLA_VXLAN_PORT = 15;
    public const ushort IFLA_VXLAN_COLLECT_METADATA = 25;
    public const ushort IFLA_TUN_OWNER = 1;
    public const ushort IFLA_TUN_GROUP = 2;
    public const ushort IFLA_TUN_TYPE = 3;
    public const ushort IFLA_TUN_PERSIST = 6;
    public const ushort IFLA_TUN_MULTI_QUEUE = 7;
    public const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    public const byte IN6_ADDR_GEN_MODE_NONE = 1;
    public const uint RTEXT_FILTER_SKIP_STATS = 8;

    // tcmsg and its attributes
    public const int TCMSG_SIZE = 20;
    public const uint TC_H_ROOT = 0xFFFF_FFFF;
    public const ushort TCA_KIND = 1;

    // ifaddrmsg and its attributes
    public const int IFADDRMSG_SIZE = 8;
    public const ushort IFA_ADDRESS = 1;
    public const ushort IFA_LOCAL = 2;
    public const ushort IFA_FLAGS = 8;
    public const byte IFA_F_NODAD = 0x02;

    // rtmsg and its attributes
    public const int RTMSG_SIZE = 12;
    public const int RTNEXTHOP_SIZE = 8;
    public const uint RTM_F_FIB_MATCH = 0x2000;
    public const byte RTN_UNICAST = 1;
    public const byte RTN_LOCAL = 2;
    public const byte RTN_ANYCAST = 4;
    public const byte RT_SCOPE_UNIVERSE = 0;
    public const byte RT_SCOPE_HOST = 254;
    public const byte RTNH_F_DEAD = 1;
    public const byte RTNH_F_LINKDOWN = 16;
    public const ushort RTA_DST = 1;
    public const ushort RTA_OIF = 4;
    public const ushort RTA_GATEWAY = 5;
    public const ushort RTA_METRICS = 8;
    public const ushort RTA_MULTIPATH = 9;
    public const ushort RTA_VIA = 18;
    public const ushort RTAX_MTU = 2;
}
