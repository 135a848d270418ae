// What a worker polls: a descriptor and what to do when it is ready. A ready source is served one batch; if more waits, the
// level-triggered poll reports it again in the next round, so no source can starve the others.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Udp;

namespace VtepDataPlane.Linux.Workers;

/// <summary>A polled descriptor of one lane.</summary>
internal abstract class PollSource(int descriptor)
{
    /// <summary>The polled descriptor.</summary>
    public int Descriptor { get; } = descriptor;

    /// <summary>Number of the entry in the worker's table.</summary>
    internal int Slot { get; set; }

    /// <summary>Worker only: serves it once. False when it must not be polled any more.</summary>
    public abstract bool Serve(Lane lane, long nowMilliseconds);
}

/// <summary>A TAP queue: frames from a port.</summary>
internal sealed class PortSource(AccessPort port, TapQueue queue, Action<AccessPort> reportGone) : PollSource(queue.FileDescriptor)
{
    /// <summary>The port.</summary>
    public AccessPort Port { get; } = port;

    /// <inheritdoc/>
    public override bool Serve(Lane lane, long nowMilliseconds)
    {
        lane.ServePort(Port, nowMilliseconds);
        if (!queue.IsGone)
            return true;
        reportGone(Port);
        return false;
    }
}

/// <summary>A UDP socket that receives: unicast of a lane, or a group.</summary>
internal sealed class UnderlaySource(int descriptor, IFrameQueue queue) : PollSource(descriptor)
{
    /// <inheritdoc/>
    public override bool Serve(Lane lane, long nowMilliseconds)
    {
        lane.ServeUnderlay(queue, nowMilliseconds);
        return true;
    }
}

/// <summary>A UDP socket that sends: only its error queue makes it ready.</summary>
internal sealed class ErrorSource(int descriptor, UdpQueue queue) : PollSource(descriptor)
{
    /// <inheritdoc/>
    public override bool Serve(Lane lane, long nowMilliseconds)
    {
        queue.ReadErrors(Descriptor);
        return true;
    }
}
