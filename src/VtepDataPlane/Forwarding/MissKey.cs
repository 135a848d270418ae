// What a lane asks for: a station or an address nobody knows, in a domain whose controller can be asked.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>A missing station (Mac), or a missing address (Address; Mac is zero then).</summary>
internal readonly record struct MissKey(int Domain, MacAddress Mac, InetAddress Address = default);

/// <summary>What the control loop tells the lanes that asked.</summary>
internal enum MissAnswer : byte
{
    /// <summary>It is in the tables now.</summary>
    Found,

    /// <summary>The controller doesn't know it either.</summary>
    NotFound,

    /// <summary>The controller didn't answer in time.</summary>
    NoAnswer,
}
