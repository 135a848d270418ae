// Opening a TAP device: /dev/net/tun, TUNSETIFF once a queue, and the settings of its virtio header.
// https://docs.kernel.org/networking/tuntap.html, drivers/net/tun.c
//
// A device that doesn't exist is created by the first TUNSETIFF (needs CAP_NET_ADMIN) and vanishes with its last descriptor.
// One that exists is adopted: a persistent one (ip tuntap add ... user) that belongs to our uid needs no capability at all.
// Whether it has one queue or several was decided when it was made, and TUNSETIFF must say the same or fails with EINVAL;
// so EINVAL is answered by asking for a single queue. The kernel lets a second process attach further queues to a multi-queue
// device, and each would get half of the frames: a device with carrier has a reader already, and is refused as busy.
//
// The offloads tell the kernel what it may leave to us in frames we read: unfinished checksums, and whole super-frames, which we cut up
// at the last moment. What an older kernel doesn't know it refuses with EINVAL (USO came with 6.2), so there is a ladder to step down.
//
// Set-up only; the caller owns the descriptors.

using System.Text;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;

namespace VtepDataPlane.Linux.Tap;

/// <summary>An open TAP device: its descriptors and whose it is.</summary>
internal sealed unsafe partial class TapDevice
{
    private const string TunKind = "tun";

    private const uint TsoOffloads = Libc.TUN_F_CSUM | Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6;

    // with TSO_ECN the kernel hands over super-frames with CWR whole too; USO4 and USO6 go only together
    private static readonly uint[] s_ladder =
    [
        TsoOffloads | Libc.TUN_F_TSO_ECN | Libc.TUN_F_USO4 | Libc.TUN_F_USO6,
        TsoOffloads | Libc.TUN_F_TSO_ECN,
        TsoOffloads,
        Libc.TUN_F_CSUM,
    ];

    private readonly List<int> _descriptors = [];

    private TapDevice(string name, bool isCreated, bool takesSuperFrames)
    {
        Name = name;
        IsCreated = isCreated;
        Offloads = takesSuperFrames ? s_ladder[0] : Libc.TUN_F_CSUM;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>It didn't exist before, and goes with its last descriptor.</summary>
    public bool IsCreated { get; }

    /// <summary>What the kernel may leave to us on frames we read (TUN_F_*): the highest rung of the ladder that it grants.</summary>
    public uint Offloads { get; private set; }

    /// <summary>One for each kernel queue.</summary>
    public IReadOnlyList<int> Descriptors => _descriptors;

    /// <summary>Opens a device by name; creates it if there is none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="existing">The interface that has the name now, or null.</param>
    /// <param name="queues">At most so many queues.</param>
    /// <param name="takesSuperFrames">The kernel may hand over super-frames; if not, it cuts them up itself.</param>
    /// <exception cref="VtepException">It can't be opened; nothing is left open or created.</exception>
    public static TapDevice Open(string name, LinkInfo? existing, int queues, bool takesSuperFrames = true)
    {
        if (existing is not null && existing.Kind != TunKind)
        {
            throw new VtepException($"Port '{name}' can't be opened: {TapTrouble.OtherKind(existing).Sentences}");
        }

        var device = new TapDevice(name, isCreated: existing is null, takesSuperFrames);
        try
        {
            device.OpenQueues(queues);
        }
        catch (VtepException)
        {
            device.Close();
            throw;
        }

        return device;
    }

    /// <summary>Whether this process may open the driver's control file: 0 or a negated errno.</summary>
    public static int ProbeControlFile()
    {
        int fd = TryOpenControlFile();
        if (fd < 0)
            return fd;
        _ = LibC.close(fd); // nothing hangs on it
        return 0;
    }

    /// <summary>Somebody holds a queue of the device (ETHTOOL_GLINK; needs no capability).</summary>
    public static bool HasCarrier(string name)
    {
        int socket = LibC.socket(LibC.AF_INET, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
        if (socket < 0)
            return false;
        Libc.ifreq request = NamedRequest(name);
        var value = new Libc.ethtool_value { cmd = Libc.ETHTOOL_GLINK };
        request.ifr_data = &value;

        // Both structures live on this stack frame for the time of the call.
        int error = Libc.ioctl(socket, Libc.SIOCETHTOOL, &request);
        _ = LibC.close(socket);
        return error == 0 && value.data != 0;
    }

    /// <summary>Closes all descriptors. A created device vanishes with them.</summary>
    public void Close()
    {
        foreach (int fd in _descriptors)
            _ = LibC.close(fd); // Linux frees the descriptor whatever close returns
        _descriptors.Clear();
    }

    private void OpenQueues(int queues)
    {
        const ushort Flags = Libc.IFF_TAP | Libc.IFF_NO_PI | Libc.IFF_VNET_HDR;
        if (!IsCreated && HasCarrier(Name))
            throw Busy();

        // One lane needs no multi-queue device, and a single-queue one is cheaper for the kernel.
        bool isMultiQueue = queues > 1 || !IsCreated;
        int error = OpenQueue((ushort)(isMultiQueue ? Flags | Libc.IFF_MULTI_QUEUE : Flags));
        if (error == -LibC.EINVAL && !IsCreated)
        {
            isMultiQueue = false;
            error = OpenQueue(Flags);
        }

        for (int i = 1; error == 0 && isMultiQueue && i < queues; i++)
            error = OpenQueue(Flags | Libc.IFF_MULTI_QUEUE);
        if (error < 0)
            throw Refused(error);
    }

    /// <summary>Opens one queue and adds its descriptor. 0 or -errno of TUNSETIFF.</summary>
    private int OpenQueue(ushort flags)
    {
        int fd = OpenControlFile();
        Libc.ifreq request = NamedRequest(Name);
        request.ifr_flags = flags;

        // The structure lives on this stack frame and has the size of the kernel's struct ifreq.
        int error = Libc.ioctl(fd, Libc.TUNSETIFF, &request);
        if (error < 0)
        {
            _ = LibC.close(fd);
            return error;
        }

        _descriptors.Add(fd);
        int headerSize = VirtioNetHeader.Size;
        int littleEndian = 1;
        Set(Libc.ioctl(fd, Libc.TUNSETVNETHDRSZ, &headerSize));
        Set(Libc.ioctl(fd, Libc.TUNSETVNETLE, &littleEndian));
        Set(SetOffloads(fd));
        return 0;
    }

    /// <summary>Steps down the ladder to what the kernel grants. 0, or -errno when it refuses even unfinished checksums.</summary>
    private int SetOffloads(int fd)
    {
        int error = -LibC.EINVAL;
        for (int rung = Array.IndexOf(s_ladder, Offloads); error == -LibC.EINVAL && rung < s_ladder.Length; rung++)
        {
            Offloads = s_ladder[rung];
            error = Libc.ioctl(fd, Libc.TUNSETOFFLOAD, (void*)Offloads); // by value, not by address
        }

        return error;
    }

    private void Set(int error)
    {
        if (error < 0)
            throw new VtepException($"Port '{Name}': the TAP device refuses its settings: {Errno.Describe(error)}. The kernel is too old.");
    }

    private int OpenControlFile()
    {
        int fd = TryOpenControlFile();
        return fd >= 0 ? fd : throw new VtepException($"Port '{Name}' can't be opened: {TapTrouble.ControlFile(-fd).Sentences}");
    }

    private static int TryOpenControlFile()
    {
        // A literal of UTF-8 lies in the assembly's read-only data and ends with a zero byte.
        fixed (byte* path = "/dev/net/tun"u8)
        {
            int fd = LibC.open(path, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
            return fd < 0 ? -LibC.errno : fd;
        }
    }

    private static Libc.ifreq NamedRequest(string name)
    {
        Libc.ifreq request = default;
        var bytes = new Span<byte>(request.ifr_name, Libc.IFNAMSIZ - 1); // the last byte stays zero
        if (!Encoding.UTF8.TryGetBytes(name, bytes, out int length) || length == 0)
            throw new VtepException($"'{name}' can't be the name of a TAP device: it must have 1 to 15 bytes.");
        return request;
    }

    private VtepException Busy() => new($"Port '{Name}' can't be opened: {TapTrouble.Busy.Sentences}");

    private VtepException Refused(int error)
    {
        if (error == -LibC.EBUSY)
            return Busy();
        string explained = "Give the port another device.";
        if (error == -LibC.EPERM)
            explained = (IsCreated ? TapTrouble.NoRightToCreate(Name) : TapTrouble.OtherOwner(Name)).Sentences;
        else if (error == -LibC.EINVAL)
            explained = IsCreated ? "The name is no valid interface name, or the driver lacks IFF_VNET_HDR." : TapTrouble.NoTap.Sentences;
        return new VtepException($"Port '{Name}' can't be opened as a TAP device: {Errno.Describe(error)}. {explained}");
    }
}
