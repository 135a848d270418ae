// One broadcast to many: frames for everybody into the segment's device on host 1, with 64 peers, all of them addresses of host 2. Counted are the
// copies that arrive there.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Copies of broadcasts.</summary>
internal sealed class FloodScenario() : Scenario("flood-64", "Mpps")
{
    private const int PeerCount = 64;
    private const int Size = 64;

    /// <inheritdoc/>
    public override Needs Needs => Needs.Frames;

    /// <inheritdoc/>
    public override string Note => $"Copies a second of ARP requests of {Size} bytes, {PeerCount} peers. "
        + "The ceiling sends a batch of frames as one train to each peer.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        using var topology = new Topology(Underlay);
        topology.DropTunnelAtTwo();
        var segment = new Segment(topology.One, topology.AddPeers(PeerCount), Underlay, HasFixedStation: false);
        using Endpoint endpoint = contender.Join(segment);
        using KernelCounters counter = KernelCounters.Datagrams(topology.Two);
        BackgroundProcess generator = topology.One.StartSelf("frames", "--broadcast", "--device", endpoint.Device, "--size", $"{Size}",
            "--source", topology.One.Mac(endpoint.Device), "--destination", "ff:ff:ff:ff:ff:ff");
        double rate = Rate.OfMillions(counter, timing);
        generator.MustRun();
        endpoint.Process?.MustRun();
        return new Sample(rate);
    }
}
