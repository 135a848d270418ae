// What a port over a pipe may be told beside its name and its pipe.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>How a <see cref="PipePort"/> is set up. Immutable.</summary>
public sealed record PipePortOptions
{
    /// <summary>The largest layer 3 packet the host takes, bytes. The VTEP fits it to the path to its peers unless the port's configuration has an MTU.</summary>
    public int Mtu { get; init; } = 1450;

    /// <summary>The host's MAC, which no frame from the tunnel may then have as its source; zero: the VTEP learns who is there.</summary>
    public MacAddress Mac { get; init; }

    /// <summary>
    /// The lane that reads and writes the pipe, 0 to the VTEP's workers less one. A pipe has one reader and one writer, so other lanes hand their frames to
    /// this one; ports spread over lanes by it.
    /// </summary>
    public int Lane { get; init; }

    /// <summary>
    /// Bytes that may wait in either direction of <see cref="PipePort.CreatePair"/>'s pipes, 1 or more: beyond them the host's writer has to wait, and
    /// frames for a host that doesn't read are dropped.
    /// </summary>
    public int PauseBytes { get; init; } = 256 * 1024;
}
