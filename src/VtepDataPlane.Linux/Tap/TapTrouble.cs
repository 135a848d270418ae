// What keeps a TAP device from being a port, in words: said by whoever opens it, and beforehand by the inspection of the host.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;

namespace VtepDataPlane.Linux.Tap;

/// <summary>Troubles of TAP devices.</summary>
internal static class TapTrouble
{
    private const string Driver = "/dev/net/tun";

    /// <summary>Another process holds it.</summary>
    public static Trouble Busy => new(
        $"the TAP device is in use by another process: {Errno.Describe(LibC.EBUSY)}",
        "stop that process ('ip -d tuntap' names it), or give the port another device");

    /// <summary>TUNSETIFF says EINVAL.</summary>
    public static Trouble NoTap => new(
        "the interface is a TUN device, or was made without support for several options", "make it anew as a TAP device");

    /// <summary>The name is taken.</summary>
    public static Trouble OtherKind(LinkInfo link) => new(
        $"'{link.Name}' is an interface of kind '{link.Kind ?? "hardware"}', not a TAP device", "choose another name, or remove that interface");

    /// <summary>There is none, and we can't make one.</summary>
    public static Trouble NoRightToCreate(string name) => new(
        "creating a TAP device needs CAP_NET_ADMIN", $"make it beforehand: '{MakeCommand(name)}', or run with CAP_NET_ADMIN");

    /// <summary>Somebody else may open it.</summary>
    public static Trouble OtherOwner(string name) => new("it belongs to another user", $"make it anew with '{MakeCommand(name)}'");

    /// <summary>The driver can't be opened.</summary>
    /// <param name="error">A positive errno.</param>
    public static Trouble ControlFile(int error) => new($"{Driver}: {Errno.Describe(error)}", ControlFileRemedy(error));

    /// <summary>There is no such bridge.</summary>
    public static Trouble NoBridge(string name) => new(
        $"there is no bridge '{name}' to attach it to", $"make it ('ip link add {name} type bridge'), or remove \"bridge\"");

    /// <summary>It is no bridge.</summary>
    public static Trouble NotABridge(LinkInfo link) => new(
        $"'{link.Name}' is an interface of kind '{link.Kind ?? "hardware"}', not a bridge", "name another one, or remove \"bridge\"");

    private static string MakeCommand(string name) => $"ip tuntap add dev {name} mode tap multi_queue user <this user>";

    private static string ControlFileRemedy(int error)
    {
        if (error == LibC.EACCES || error == LibC.EPERM)
            return $"let this user open it ('chmod 0666 {Driver}' is the common mode), or run as root";
        if (error == LibC.EMFILE || error == LibC.ENFILE)
            return "raise the limit of open files (LimitNOFILE= in the unit, 'ulimit -n')";
        return "load the driver ('modprobe tun'); a container must be given the device";
    }
}
