// Frames into the segment's device on host 1 faster than the contender can take them; counted are the datagrams that arrive at host 2, which throws
// them away at once. The station they go to is fixed behind host 2, which runs nothing.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Encapsulation rate by frame size.</summary>
internal sealed class EncapScenario(int size) : Scenario($"encap-{size}", "Mpps")
{
    /// <inheritdoc/>
    public override Needs Needs => Needs.Frames;

    /// <inheritdoc/>
    public override string Note => $"UDP frames of {size} bytes as the TAP's reader sees them, {InnerFrames.Flows} flows in turn, "
        + "offered by a packet socket on one core. The kernel's vxlan device has no queue: there the generator itself runs the encapsulation.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        using var topology = new Topology(Underlay);
        topology.DropTunnelAtTwo();
        var segment = new Segment(topology.One, [topology.Two.Underlay(v6: false)], Underlay, HasFixedStation: true);
        using Endpoint endpoint = contender.Join(segment);
        using KernelCounters counter = KernelCounters.Datagrams(topology.Two);
        BackgroundProcess generator = topology.One.StartSelf("frames", "--device", endpoint.Device, "--size", $"{size}",
            "--source", topology.One.Mac(endpoint.Device), "--destination", Segment.StationMac);
        double rate = Rate.OfMillions(counter, timing);
        generator.MustRun();
        endpoint.Process?.MustRun();
        return new Sample(rate);
    }
}
