// Our own relays, as processes of this very program: the ceiling and the plain one. See Relay/.

using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Relay;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>A relay on each host.</summary>
internal sealed class RelayContender(string name, bool isCeiling) : Contender(name)
{
    private const string Tap = "tap-relay";
    private const int EthernetHeader = 14;

    // A super-frame with its virtio header must fit into one send, in bytes and in datagrams.
    private const int GsoMaxSize = 65000;
    private const int CeilingQueue = 10000;

    /// <inheritdoc/>
    public override DatagramFormat Format => isCeiling ? DatagramFormat.VirtioHeader : DatagramFormat.Bare;

    /// <inheritdoc/>
    public override string? Remark(UnderlayPlan underlay)
    {
        if (!isCeiling)
            return null;
        return underlay.HasOffloads ? "One worker." : "One worker; its TAP has no TSO, because nothing on the way puts super-frames together again.";
    }

    /// <inheritdoc/>
    public override Endpoint Join(Segment segment)
    {
        Host host = segment.Host;
        RelayMode mode = isCeiling ? segment.Underlay.HasOffloads ? RelayMode.Ceiling : RelayMode.CeilingNoSegmentation : RelayMode.Plain;
        string[] peers = [.. segment.Peers.SelectMany(peer => new[] { "--peer", $"{peer}" })];
        BackgroundProcess process = host.StartSelf(
            ["relay", "--mode", $"{mode}", "--tap", Tap, "--local", $"{segment.Local}", "--segment-size", $"{segment.Underlay.DatagramSize}", .. peers]);
        Wait.Until($"{Name} has its TAP", 10, () => IsReady(host, process));
        if (isCeiling)
            host.Ip($"link set {Tap} gso_max_size {GsoMaxSize} gso_max_segs {GsoMaxSize / segment.Underlay.DatagramSize} txqueuelen {CeilingQueue}");
        int header = isCeiling ? CeilingRelay.HeaderSize : 0;
        host.SetUpInner(Tap, Math.Min(segment.Underlay.VxlanMtu, segment.Underlay.DatagramSize - header - EthernetHeader));
        return new Endpoint(Tap, Process: process);
    }

    private static bool IsReady(Host host, BackgroundProcess process)
    {
        process.MustRun();
        return host.HasDevice(Tap);
    }
}
