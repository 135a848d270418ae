// The mirror: host 2 sends the contender's own datagrams as fast as it can, counted are the frames that come out of the segment's device on host 1, by
// a deaf UDP socket there. The inner frames are the same for all, and so are the trains they are sent in; a contender that reads packets off the
// device gets them split by the kernel of host 2.

using System.Net;
using System.Net.Sockets;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Interop;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Decapsulation rate by frame size.</summary>
internal sealed class DecapScenario(int size) : Scenario($"decap-{size}", "Mpps")
{
    /// <inheritdoc/>
    public override Needs Needs => Needs.Frames;

    /// <inheritdoc/>
    public override string Note => $"UDP frames of {size} bytes, {InnerFrames.Flows} flows, each with an outer source port of its own, "
        + "sent in trains (UDP_SEGMENT) so that the generator isn't the bottleneck; the kernel's vxlan device works on the generator's core.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        using var topology = new Topology(Underlay);
        if (contender.ReadsOffTheDevice)
            topology.FinishAtTwo();
        using Endpoint endpoint = contender.Join(new Segment(topology.One, [topology.Two.Underlay(v6: false)], Underlay, HasFixedStation: false));
        using Socket deaf = DeafSocket(topology.One);
        using KernelCounters counter = KernelCounters.DeafFrames(topology.One);
        using KernelCounters wrong = KernelCounters.WrongChecksums(topology.One);
        BackgroundProcess generator = topology.Two.StartSelf("datagrams", "--format", $"{contender.Format}", "--size", $"{size}",
            "--from", $"{topology.Two.Underlay(v6: false)}", "--to", $"{topology.One.Underlay(v6: false)}",
            "--source", Segment.StationMac, "--destination", topology.One.Mac(endpoint.Device));
        double rate = Rate.OfMillions(counter, timing);
        generator.MustRun();
        endpoint.Process?.MustRun();
        return wrong.Read() == 0 ? new Sample(rate) : throw new BenchException($"{wrong.Read()} frames came out with a wrong checksum.");
    }

    private static Socket DeafSocket(Host host) => host.Inside(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Descriptors.Deafen((int)socket.Handle);
        socket.Bind(new IPEndPoint(host.Inner(v6: false), InnerFrames.DestinationPort));
        return socket;
    });
}
