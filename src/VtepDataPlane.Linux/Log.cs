// What the host tells the operator, in one place. Field names are the same everywhere: vni mac port remote reason. Nothing here is
// about a single frame: those are counters. Event ids: 2xx, unique in the program.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux;

internal static partial class Log
{
    [LoggerMessage(EventId = 201, Level = LogLevel.Information, Message = "Underlay open on {local}, UDP port {udpPort}, {workers} workers")]
    public static partial void UnderlayOpen(this ILogger logger, InetAddress local, int udpPort, int workers);

    [LoggerMessage(EventId = 202, Level = LogLevel.Information, Message = "Port {port} open: {how}")]
    public static partial void PortOpen(this ILogger logger, string port, string how);

    [LoggerMessage(EventId = 203, Level = LogLevel.Warning, Message = "{reason}")]
    public static partial void PortWarning(this ILogger logger, string reason);

    [LoggerMessage(EventId = 204, Level = LogLevel.Warning, Message = "Port {port}: the device was deleted; trying to get it back")]
    public static partial void PortGone(this ILogger logger, string port);

    [LoggerMessage(EventId = 205, Level = LogLevel.Information, Message = "Port {port}: the device is back")]
    public static partial void PortBack(this ILogger logger, string port);

    [LoggerMessage(EventId = 206, Level = LogLevel.Debug, Message = "Port {port} isn't back yet: {reason}")]
    public static partial void PortNotBack(this ILogger logger, string port, string reason);

    [LoggerMessage(EventId = 207, Level = LogLevel.Warning, Message = "The local VTEP address {local} is gone from this host: nothing is sent until it is back")]
    public static partial void LocalAddressGone(this ILogger logger, InetAddress local);

    [LoggerMessage(EventId = 208, Level = LogLevel.Information, Message = "The local VTEP address is {local}")]
    public static partial void LocalAddressPresent(this ILogger logger, InetAddress local);

    [LoggerMessage(EventId = 209, Level = LogLevel.Warning, Message = "After a change of the network: {reason}")]
    public static partial void NetworkProblem(this ILogger logger, string reason);

    [LoggerMessage(EventId = 210, Level = LogLevel.Information, Message = "A router reports a smaller path MTU; paths are read anew")]
    public static partial void PathMtuFell(this ILogger logger);

    [LoggerMessage(EventId = 211, Level = LogLevel.Warning,
        Message = "The limit of open files is {limit}; {needed} may be needed. Raise it (LimitNOFILE= in the unit, 'ulimit -n')")]
    public static partial void FileLimitLow(this ILogger logger, ulong limit, ulong needed);

    [LoggerMessage(EventId = 212, Level = LogLevel.Critical, Message = "A thread of the VTEP failed; the process can't go on")]
    public static partial void Fatal(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 213, Level = LogLevel.Warning,
        Message = "The kernel refuses trains of datagrams (UDP_SEGMENT) on the underlay: each goes by itself, which is slower. "
            + "IPsec on the route does that, a device without checksum offload, or underlay.udpChecksum: false")]
    public static partial void TrainsRefused(this ILogger logger);

    [LoggerMessage(EventId = 214, Level = LogLevel.Information, Message = "{change}")]
    public static partial void ControllerChanged(this ILogger logger, string change);

    [LoggerMessage(EventId = 215, Level = LogLevel.Warning, Message = "{reason}")]
    public static partial void ControllerWarning(this ILogger logger, string reason);
}
