// Opens the descriptors of relays and generators: TAP devices (linux/if_tun.h), UDP sockets (udp(7)) and packet sockets (packet(7)).
// All are non-blocking. What can't be opened ends the process with a sentence.

using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>Opens descriptors.</summary>
internal static unsafe class Descriptors
{
    private const int ReceiveBuffer = 8 * 1024 * 1024;
    private const int SendBuffer = 4 * 1024 * 1024;
    private const int UdpLevel = 17;
    private const int PacketLevel = 263;

    /// <summary>Makes a TAP device with one queue.</summary>
    /// <param name="name">At most 15 bytes.</param>
    /// <param name="withHeader">A virtio header of ten bytes stands before every frame.</param>
    /// <param name="offloads">TUN_F_ flags.</param>
    public static int Tap(string name, bool withHeader, uint offloads)
    {
        int fd;

        // A literal of UTF-8 ends with a zero byte.
        fixed (byte* path = "/dev/net/tun"u8)
            fd = Need(LibC.open(path, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0), "/dev/net/tun can't be opened");
        Libc.ifreq request = default;
        Encoding.ASCII.GetBytes(name, new Span<byte>(request.ifr_name, Libc.IFNAMSIZ - 1));
        request.ifr_flags = (ushort)(Libc.IFF_TAP | Libc.IFF_NO_PI | (withHeader ? Libc.IFF_VNET_HDR : 0));

        // The structure lives on this stack frame and has the size of the kernel's struct ifreq.
        Check(Libc.ioctl(fd, Libc.TUNSETIFF, &request), $"The TAP device '{name}' can't be made");
        Check(Libc.ioctl(fd, Libc.TUNSETOFFLOAD, (void*)offloads), $"The TAP device '{name}' refuses its offloads"); // by value
        return fd;
    }

    /// <summary>A UDP socket bound to an address and port.</summary>
    public static int Udp(IPEndPoint local)
    {
        int family = local.AddressFamily == AddressFamily.InterNetwork ? LibC.AF_INET : LibC.AF_INET6;
        int fd = Need(LibC.socket(family, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "A UDP socket can't be opened");
        Set(fd, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, ReceiveBuffer);
        Set(fd, LibC.SOL_SOCKET, LibC.SO_SNDBUFFORCE, SendBuffer);
        fixed (byte* name = Name(local))
            Need(LibC.bind(fd, (sockaddr*)name, NameLength(local)), $"A UDP socket can't be bound to {local}");
        return fd;
    }

    /// <summary>A UDP socket that sends to one peer from a port of the kernel's choice, or from <paramref name="local"/>'s.</summary>
    public static int ConnectedUdp(IPEndPoint local, IPEndPoint peer)
    {
        int fd = Udp(local);
        fixed (byte* name = Name(peer))
            Need(LibC.connect(fd, (sockaddr*)name, NameLength(peer)), $"A UDP socket can't be connected to {peer}");
        return fd;
    }

    /// <summary>Asks for whole trains: one buffer for the datagrams of one send.</summary>
    public static void ReceiveTrains(int udp) => Set(udp, UdpLevel, Libc.UDP_GRO, 1);

    /// <summary>A packet socket that sends frames out of a device, past its queueing discipline, and receives nothing.</summary>
    public static int Packet(string device)
    {
        int fd = Need(LibC.socket(LibC.AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, 0), "A packet socket can't be opened");
        Set(fd, PacketLevel, SendLimits.PacketQdiscBypass, 1);
        Set(fd, LibC.SOL_SOCKET, LibC.SO_SNDBUFFORCE, SendBuffer);
        int index = int.Parse(File.ReadAllText($"/sys/class/net/{device}/ifindex"), System.Globalization.CultureInfo.InvariantCulture);
        byte* address = stackalloc byte[20]; // struct sockaddr_ll: family (2), protocol (2), interface (4), and what only receiving needs
        new Span<byte>(address, 20).Clear();
        Unsafe.WriteUnaligned(address, (ushort)LibC.AF_PACKET);
        Unsafe.WriteUnaligned(address + 4, index);
        Need(LibC.bind(fd, (sockaddr*)address, 20), $"A packet socket can't be bound to {device}");
        return fd;
    }

    /// <summary>Lets a socket drop all it receives, after the checksum was looked at and before it takes room ("ret #0").</summary>
    public static void Deafen(int fd)
    {
        const ushort BpfReturnConstant = 0x06;
        var instruction = new Libc.sock_filter { code = BpfReturnConstant, k = 0 };
        var program = new Libc.sock_fprog { len = 1, filter = &instruction };
        Set(fd, LibC.SOL_SOCKET, LibC.SO_ATTACH_FILTER, program);
    }

    /// <summary>sockaddr_in or sockaddr_in6 as bytes.</summary>
    public static byte[] Name(IPEndPoint endpoint) => [.. endpoint.Serialize().Buffer.Span[..NameLength(endpoint)]];

    /// <summary>Bytes of that address.</summary>
    public static int NameLength(IPEndPoint endpoint) => endpoint.AddressFamily == AddressFamily.InterNetwork ? 16 : 28;

    private static void Set<T>(int fd, int level, int option, T value)
        where T : unmanaged
    {
        // The value lives on this stack frame and its true size is given.
        Need(LibC.setsockopt(fd, level, option, &value, sizeof(T)), $"Socket option {level}/{option} is refused");
    }

    private static int Need(int result, string what)
    {
        if (result < 0)
            Check(-Marshal.GetLastSystemError(), what);
        return result;
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
            throw new BenchException($"{what}: {Errno.Describe(result)}.");
    }
}
