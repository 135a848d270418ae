// A lane: everything one worker owns. (Skeleton: the contract workers rely on.)

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Everything one worker owns. Serve methods: the owning thread only.</summary>
public sealed class Lane
{
    internal Lane(int index) => Index = index;

    /// <summary>0 to workers - 1: the number of its queue in every port and in the underlay.</summary>
    public int Index { get; }

    /// <summary>Receives one batch from a port, forwards it and flushes. Returns frames received; 0: nothing waited.</summary>
    public int ServePort(AccessPort port, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Receives one batch of datagrams from an underlay queue, forwards it and flushes. Returns datagrams received.</summary>
    public int ServeUnderlay(IFrameQueue queue, long nowMilliseconds) => throw new NotImplementedException();
}
