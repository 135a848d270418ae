// What an InProcessVtep can be given besides its configuration. Every default is right for a program; tests replace clock and seed.

namespace VtepDataPlane;

/// <summary>How an <see cref="InProcessVtep"/> runs. Immutable.</summary>
public sealed record InProcessOptions
{
    /// <summary>Its clock: monotonic time, and the timer that ages entries once a second.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Random bits for the hashes of tables and flows, which nobody who sends frames may know; null: from the system's cryptographic source.</summary>
    public UInt128? Seed { get; init; }

    /// <summary>Frames a lane takes at once, 1 to 4096: the memory of a lane is so many slots. Small is right for many VTEPs in one process.</summary>
    public int BatchFrames { get; init; } = 64;

    /// <summary>
    /// Bytes of the longest frame a lane takes, VXLAN header included, 1600 to 65,600. The default takes super-frames of 64 KiB; slots that no long
    /// frame was ever in cost address space only.
    /// </summary>
    public int LongestFrame { get; init; } = Frames.FrameBatch.DefaultRoom;

    /// <summary>VTEPs that peers, static entries and controllers may name, 1 to 16,384, each counted once; 80 bytes each, and 32 more on every lane.</summary>
    public int MaxVteps { get; init; } = 1024;

    /// <summary>
    /// Called with an exception nobody expected on one of the VTEP's own threads, which is a bug of ours: a port's or a subscriber's exception never
    /// comes here. Null: the process ends, for a VTEP with a dead lane would lose frames in silence.
    /// </summary>
    public Action<Exception>? Fatal { get; init; }
}
