// Somebody who builds a segment between two hosts. All are asked for the same: a device on the host with the host's inner addresses.

using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>What a scenario asks of a contender beyond carrying IP between two hosts.</summary>
[Flags]
internal enum Needs
{
    None = 0,

    /// <summary>Carries Ethernet frames, and its datagrams can be made by a generator.</summary>
    Frames = 1,

    /// <summary>Is a function in this process.</summary>
    InProcess = 2,
}

/// <summary>One contender.</summary>
internal abstract class Contender(string name)
{
    /// <summary>As in the report.</summary>
    public string Name => name;

    /// <summary>How its datagrams look.</summary>
    public virtual DatagramFormat Format => DatagramFormat.Vxlan;

    /// <summary>It reads packets off the device, before the kernel would have finished or split them.</summary>
    public virtual bool ReadsOffTheDevice => false;

    /// <summary>Why it takes no part, as a sentence; null when it does.</summary>
    public virtual string? WhyAbsent(Needs needs) =>
        needs.HasFlag(Needs.InProcess) ? "No function of it can be called in this process." : null;

    /// <summary>What a reader must know about how it takes part; null when nothing.</summary>
    public virtual string? Remark(UnderlayPlan underlay) => null;

    /// <summary>Builds the segment's end on a host; its device is up when this returns.</summary>
    public abstract Endpoint Join(Segment segment);
}

/// <summary>A contender's end of the segment.</summary>
/// <param name="Device">The host's device in the segment.</param>
/// <param name="Folder">Files of it, deleted on disposal.</param>
/// <param name="Process">The contender's process, if it is one.</param>
/// <param name="Socket">A socket's file elsewhere, deleted on disposal.</param>
internal sealed record Endpoint(string Device, string? Folder = null, BackgroundProcess? Process = null, string? Socket = null) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Process?.Dispose();
        if (Folder is not null)
            Directory.Delete(Folder, recursive: true);
        if (Socket is not null)
            File.Delete(Socket);
    }
}
