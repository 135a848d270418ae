// Making a persistent TAP device for somebody else to open: TUNSETIFF, TUNSETOWNER, TUNSETPERSIST. Afterwards its owner attaches queues
// without any capability (tun_not_capable in drivers/net/tun.c). Needs CAP_NET_ADMIN; no descriptor is left open.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Tap;

internal sealed unsafe partial class TapDevice
{
    /// <summary>Makes a device that stays. There must be none of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isMultiQueue">With room for several queues.</param>
    /// <param name="owner">The user id that may open it.</param>
    /// <exception cref="VtepException">It can't be made; nothing is left behind.</exception>
    public static void Make(string name, bool isMultiQueue, uint owner)
    {
        var device = new TapDevice(name, isCreated: true, takesSuperFrames: false);
        int fd = device.OpenControlFile();
        try
        {
            device.Make(fd, isMultiQueue, owner);
        }
        finally
        {
            _ = LibC.close(fd); // unless it was made persistent, the device goes with it
        }
    }

    private void Make(int fd, bool isMultiQueue, uint owner)
    {
        Libc.ifreq request = NamedRequest(Name);
        request.ifr_flags = Libc.IFF_TAP | Libc.IFF_NO_PI | Libc.IFF_VNET_HDR;
        if (isMultiQueue)
            request.ifr_flags |= Libc.IFF_MULTI_QUEUE;

        // The structure lives on this stack frame and has the size of the kernel's struct ifreq. The other two take values.
        int error = Libc.ioctl(fd, Libc.TUNSETIFF, &request);
        if (error == 0)
            error = Libc.ioctl(fd, Libc.TUNSETOWNER, (void*)(nuint)owner);
        if (error == 0)
            error = Libc.ioctl(fd, Libc.TUNSETPERSIST, (void*)1);
        if (error == -LibC.EPERM)
            throw new VtepException($"Port '{Name}' can't be made: {Errno.Describe(error)}. Making TAP devices needs CAP_NET_ADMIN: run it as root.");
        if (error < 0)
            throw Refused(error);
    }
}
