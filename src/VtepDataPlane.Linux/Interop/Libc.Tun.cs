// The TUN/TAP driver's ioctls, flags and structures: linux/if_tun.h, linux/virtio_net.h, linux/if.h, linux/ethtool.h and
// https://docs.kernel.org/networking/tuntap.html. Request numbers as on x86-64 and arm64 (_IOW('T', n, int)).

using System.Runtime.InteropServices;

#pragma warning disable CS8981 // all lower case: the native name

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    internal const int IFNAMSIZ = 16;

    internal const uint TUNSETIFF = 0x400454ca;
    internal const uint TUNSETPERSIST = 0x400454cb;
    internal const uint TUNSETOWNER = 0x400454cc;
    internal const uint TUNSETOFFLOAD = 0x400454d0;
    internal const uint TUNSETVNETHDRSZ = 0x400454d8;
    internal const uint TUNSETVNETLE = 0x400454dc;

    internal const ushort IFF_TAP = 0x0002;
    internal const ushort IFF_MULTI_QUEUE = 0x0100;
    internal const ushort IFF_NO_PI = 0x1000;
    internal const ushort IFF_VNET_HDR = 0x4000;

    internal const uint TUN_F_CSUM = 0x01;
    internal const uint TUN_F_TSO4 = 0x02;
    internal const uint TUN_F_TSO6 = 0x04;
    internal const uint TUN_F_TSO_ECN = 0x08;
    internal const uint TUN_F_USO4 = 0x20;
    internal const uint TUN_F_USO6 = 0x40;

    internal const byte VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
    internal const byte VIRTIO_NET_HDR_GSO_NONE = 0;
    internal const byte VIRTIO_NET_HDR_GSO_TCPV4 = 1;
    internal const byte VIRTIO_NET_HDR_GSO_TCPV6 = 4;
    internal const byte VIRTIO_NET_HDR_GSO_UDP_L4 = 5;
    internal const byte VIRTIO_NET_HDR_GSO_ECN = 0x80;

    internal const uint SIOCETHTOOL = 0x8946;
    internal const uint ETHTOOL_GLINK = 0x0000000a;

    /// <summary>struct ifreq of netdevice(7): 16 bytes of name and a union, of which flags and the pointer are used here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct ifreq
    {
        [FieldOffset(0)]
        public fixed byte ifr_name[IFNAMSIZ];

        [FieldOffset(IFNAMSIZ)]
        public ushort ifr_flags;

        [FieldOffset(IFNAMSIZ)]
        public void* ifr_data;
    }

    /// <summary>struct ethtool_value.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ethtool_value
    {
        public uint cmd;
        public uint data;
    }

    /// <summary>ioctl(2) with a pointer. 0 or more, or -errno.</summary>
    internal static int ioctl(int fd, uint request, void* argument)
    {
        int result = ioctl_native(fd, request, argument);
        return result < 0 ? -Marshal.GetLastSystemError() : result;
    }

    // The C function is variadic; on x86-64 and arm64 Linux an integer-class argument is passed alike either way.
    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int ioctl_native(int fd, nuint request, void* argument);
}
