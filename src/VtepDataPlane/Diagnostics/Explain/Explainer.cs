// Answers what would happen to a frame. The frame is walked through the forwarder by the very code that walks real ones, on a lane of its own that
// nobody serves, with a dry observer (FrameObserver): nothing is sent, learned, asked or counted, so one can ask a VTEP in production. What
// the observer is told becomes the steps and outcomes; the outer packet is written around what would have been handed to the underlay.
//
// Called under the VTEP's gate: tables don't change under it but by lanes that learn. One answer at a time.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Explain;

/// <summary>Explains frames. One thread at a time.</summary>
internal sealed class Explainer
{
    private readonly Forwarder _forwarder;
    private readonly ExplainObserver _observer;
    private readonly Lane _lane;

    public Explainer(Forwarder forwarder, RemoteVteps vteps, IUnderlay underlay, UnderlayConfig config)
    {
        _forwarder = forwarder;
        _observer = new ExplainObserver(vteps, underlay, config);
        _lane = new Lane(forwarder, underlay.Queue(0), vteps.Capacity, _observer);
    }

    /// <summary>What would happen now.</summary>
    /// <exception cref="VtepException">The question names a port that isn't there, or there is no port the frame could come from.</exception>
    public Explanation Explain(FrameQuestion question, long nowMilliseconds)
    {
        BridgeDomain? domain = _forwarder.State.ByVni(question.Vni);
        AccessPort? port = question.From is null ? PortOf(question, domain) : null;
        _observer.Reset(question, domain);
        var batch = new FrameBatch(capacity: 1, room: Math.Max(64, question.Frame.Length + VxlanHeader.Size));
        if (port is null)
            WalkFromUnderlay(question, batch, nowMilliseconds);
        else
            WalkFromPort(question, port, batch, nowMilliseconds);
        _lane.Flush();
        return _observer.Answer(question.Vni, domain?.Name);
    }

    private static AccessPort? PortOf(FrameQuestion question, BridgeDomain? domain)
    {
        if (domain is null)
            throw new VtepException($"There is no bridge domain with VNI {question.Vni}, so no port a frame could come from.");
        AccessPort? port = question.Port is null ? domain.Ports.FirstOrDefault() : domain.Ports.FirstOrDefault(port => port.Device.Name == question.Port);
        return port ?? throw new VtepException(question.Port is null
            ? $"Bridge domain {domain.Name} has no port a frame could come from: say from which VTEP it comes."
            : $"Bridge domain {domain.Name} has no port {VtepConfigRules.Quote(question.Port)}.");
    }

    private void WalkFromPort(FrameQuestion question, AccessPort port, FrameBatch batch, long nowMilliseconds)
    {
        batch.TryAdd(question.Frame.Span);
        _observer.Say("frame", $"From port {port.Device.Name}: {FrameText.Describe(question.Frame.Span)}.");
        _forwarder.FromPort(_lane, port, batch, nowMilliseconds);
    }

    private void WalkFromUnderlay(FrameQuestion question, FrameBatch batch, long nowMilliseconds)
    {
        byte[] datagram = [.. new byte[VxlanHeader.Size], .. question.Frame.Span];
        VxlanHeader.Write(datagram, question.Vni);
        batch.TryAdd(datagram);
        FrameInfo info = batch[0].Info;
        info.Outer.Remote = new VtepEndpoint(question.From!.Value, _forwarder.State.Port);
        info.Outer.TrafficClass = question.OuterTrafficClass;
        batch[0].Info = info;
        _observer.Say("frame", $"From VTEP {question.From}, VNI {question.Vni}: {FrameText.Describe(question.Frame.Span)}.");
        _forwarder.FromUnderlay(_lane, batch, nowMilliseconds);
    }
}
