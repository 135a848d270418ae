// What a relay is told on its command line.

using System.Net;

namespace VtepDataPlane.EndToEnd.Relay;

/// <summary>How a relay takes frames from its TAP.</summary>
internal enum RelayMode
{
    /// <summary>One plain frame a system call.</summary>
    Plain,

    /// <summary>Batches and whole super-frames.</summary>
    Ceiling,

    /// <summary>Batches of plain frames, for an underlay that can't carry a super-frame whole.</summary>
    CeilingNoSegmentation,
}

/// <summary>One relay.</summary>
/// <param name="Mode">How it works.</param>
/// <param name="Tap">Name of the TAP it makes.</param>
/// <param name="Local">Address and port it receives on.</param>
/// <param name="Peers">Every frame goes to all of them.</param>
/// <param name="SegmentSize">Longest datagram the underlay takes, without IP and UDP headers.</param>
internal sealed record RelayOptions(RelayMode Mode, string Tap, IPEndPoint Local, IPEndPoint[] Peers, int SegmentSize);
