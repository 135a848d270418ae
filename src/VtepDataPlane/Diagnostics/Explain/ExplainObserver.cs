// The dry observer: turns what a walk tells into sentences and outcomes. Names who is meant, never ids. Not thread-safe; one question at a time.

using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Explain;

/// <summary>Takes down what would happen.</summary>
internal sealed class ExplainObserver(RemoteVteps vteps, IUnderlay underlay, UnderlayConfig config) : FrameObserver(isDry: true)
{
    private const byte DefaultHopLimit = 64;
    private const byte DefaultGroupHopLimit = 1;

    private readonly List<ExplanationStep> _steps = [];
    private readonly List<ExplanationOutcome> _outcomes = [];
    private FdbTarget _target;
    private bool _isEncapsulated;
    private bool _wouldBeLearned;

    /// <summary>Begins anew.</summary>
    public void Reset(FrameQuestion question, BridgeDomain? domain)
    {
        _steps.Clear();
        _outcomes.Clear();
        _target = default;
        _isEncapsulated = _wouldBeLearned = false;
        _steps.Add(new ExplanationStep("domain", domain is null
            ? $"No bridge domain has VNI {question.Vni}."
            : $"VNI {question.Vni} is bridge domain {domain.Name}, with {Count(domain.Ports.Length, "port")} and {Count(domain.Flood.Vteps.Length, "VTEP")} to flood to{(domain.Flood.Group is { } group ? $", and group {group.Endpoint.Address}" : "")}."));
    }

    /// <summary>What was taken down.</summary>
    public Explanation Answer(Vni vni, string? domain) => new(vni, domain, [.. _steps], [.. _outcomes]);

    /// <summary>Adds a step.</summary>
    public void Say(string step, string text) => _steps.Add(new ExplanationStep(step, text));

    /// <inheritdoc/>
    public override void Admitted(in Walk walk, in InetAddress sender, bool isNew) => Say("admission", isNew
        ? $"{sender} would be learned as a new VTEP of {walk.Domain.Name}: the domain admits any sender."
        : $"{sender} is a VTEP of {walk.Domain.Name}.");

    /// <inheritdoc/>
    public override void Learned(in Walk walk, in Frame frame, LearnResult result, FdbTarget before)
    {
        MacAddress mac = frame.Info.Headers.Source;
        _wouldBeLearned = result is LearnResult.Learned or LearnResult.Moved;
        string here = walk.Port is { } port ? $"port {port.Device.Name}" : $"VTEP {frame.Info.Outer.Remote.Address}";
        Say("learn", result switch
        {
            LearnResult.Learned => $"{mac} is new: it would be learned behind {here}.",
            LearnResult.Refreshed => $"{mac} is known behind {here}: its age would start anew.",
            LearnResult.Moved => $"{mac} would move here, behind {here}.",
            LearnResult.Conflict => $"{mac} has an entry that is fixed elsewhere.",
            LearnResult.OwnMac => $"{mac} is the MAC of one of this VTEP's own ports.",
            LearnResult.Contradicted => $"{mac} is behind another VTEP, as the controller says: the entry stays as it is.",
            LearnResult.LimitReached => $"{mac} would not be learned: {walk.Domain.Name} has as many learned entries as it may have ({walk.Domain.FdbLimit}).",
            LearnResult.TableFull => $"{mac} would not be learned: the FDB is full.",
            _ => $"Nothing to learn: {mac} is known, or {walk.Domain.Name} doesn't learn.",
        });
    }

    /// <inheritdoc/>
    public override FdbTarget LookedUp(in Walk walk, in Frame frame, FdbTarget target)
    {
        MacAddress mac = frame.Info.Headers.Destination;
        if (_wouldBeLearned && mac == frame.Info.Headers.Source)
            target = walk.Source; // a frame to its own sender
        _target = target;
        Say("lookup", target.IsMiss
            ? mac.IsGroup ? $"{mac} is a group address: everybody gets it." : $"{mac} is not in the FDB."
            : $"{mac} is {(target.IsLocal ? $"behind port {walk.Domain.Port(target.Id)?.Device.Name ?? "(removed)"}" : $"behind VTEP {vteps.EndpointOf(target.Id)}")} ({Kind(target.Kind)}).");
        if (target.IsMiss && walk.IsFromUnderlay)
            Say("flood", "To all ports; never back to the underlay (split horizon).");
        else if (target.IsMiss)
            Say("flood", "To all other ports, and to all VTEPs of the domain.");
        return target;
    }

    /// <inheritdoc/>
    public override void Held(in Walk walk, in Frame frame, in MissKey key, bool isAsked) =>
        Say("hold", $"The controller would be asked for {(key.Address.IsNone ? key.Mac.ToString() : key.Address.ToString())}; the frame would wait for the answer.");

    /// <inheritdoc/>
    public override int ToPort(in Walk walk, in Frame frame, AccessPort port)
    {
        Say("send", $"To port {port.Device.Name}: {frame.Length} bytes, within its MTU of {port.Mtu}.");
        _outcomes.Add(new ExplanationOutcome(CaptureVerdict.Sent, DropReason.None, port.Device.Name, Remote: null, frame.Bytes.ToArray(), Outer: default));
        return NoTicket;
    }

    /// <inheritdoc/>
    public override int ToVtep(in Walk walk, in Frame frame, int vtep)
    {
        RemotePath path = vteps.PathOf(vtep);
        Send(frame, path.Mtu > 0 ? $"within the path's MTU of {path.Mtu}" : "the path's MTU is not known");
        return NoTicket;
    }

    /// <inheritdoc/>
    public override int ToGroup(in Walk walk, in Frame frame, GroupTarget group)
    {
        Send(frame, $"within the interface's MTU of {group.PathMtu}");
        return NoTicket;
    }

    /// <inheritdoc/>
    public override void Dropped(in Walk walk, in Frame frame, DropReason reason, Toward toward)
    {
        Toward place = toward.Or(_target, walk, vteps);
        string? port = place.Port?.Device.Name;
        string? to = port ?? place.Remote?.ToString();
        Say(reason == DropReason.NeighborAnswered ? "answer" : "drop", $"{(to is null ? "Dropped" : $"Not to {to}")}: {reason.Name()}{Detail(walk, frame, reason, toward)}.");
        _outcomes.Add(new ExplanationOutcome(CaptureVerdict.Dropped, reason, port, place.Remote, InnerOf(frame).ToArray(), Outer: default));
    }

    /// <inheritdoc/>
    public override int Originated(Lane lane, in Frame frame, AccessPort port)
    {
        Say("answer", $"This VTEP would answer to port {port.Device.Name}: {FrameText.Describe(frame.Bytes)}.");
        _outcomes.Add(new ExplanationOutcome(CaptureVerdict.Originated, DropReason.None, port.Device.Name, Remote: null, frame.Bytes.ToArray(), Outer: default));
        return NoTicket;
    }

    private void Send(in Frame frame, string fits)
    {
        OuterHeader outer = frame.Info.Outer;
        ushort sourcePort = underlay.SourcePortOf(outer.SourcePort);
        byte hopLimit = outer.HopLimit != 0 ? outer.HopLimit : outer.Remote.Address.IsMulticast ? DefaultGroupHopLimit : DefaultHopLimit;
        if (!_isEncapsulated)
            Say("encapsulate", $"VXLAN header; UDP {sourcePort} to {outer.Remote.Port}; TTL {hopLimit}, DSCP {outer.TrafficClass >> 2}, ECN {outer.TrafficClass & Ecn.Mask}, {(outer.DontFragment || outer.Remote.Address.IsIPv6 ? "not to be fragmented" : "DF not set")}.");
        _isEncapsulated = true;
        byte[] packet = OuterPacket.Write(
            underlay.Local, sourcePort, outer.Remote.Address, outer.Remote.Port, outer.TrafficClass, hopLimit, outer.DontFragment, config.UdpChecksum, frame.Bytes);
        Say("send", $"To {(outer.Remote.Address.IsMulticast ? "group" : "VTEP")} {outer.Remote}: {packet.Length} bytes, {fits}.");
        _outcomes.Add(new ExplanationOutcome(CaptureVerdict.Sent, DropReason.None, Port: null, outer.Remote, InnerOf(frame).ToArray(), packet));
    }

    private string Detail(in Walk walk, in Frame frame, DropReason reason, Toward toward)
    {
        int length = InnerOf(frame).Length;
        switch (reason)
        {
            case DropReason.PathMtuExceeded when toward.Remote is { Address.IsMulticast: true } && walk.Domain.Flood.Group is { } group:
                return $", {length} bytes and {Encapsulator.Overhead(group.Endpoint.Address)} of outer headers are more than the {group.PathMtu} of the interface";
            case DropReason.PathMtuExceeded:
                VtepEndpoint remote = toward.Remote ?? vteps.EndpointOf(_target.Id);
                int mtu = vteps.PathOf(vteps.Find(remote.Address, remote.Port)).Mtu;
                return $", {length} bytes and {Encapsulator.Overhead(remote.Address)} of outer headers are more than the {mtu} of the path";
            case DropReason.PortMtuExceeded:
                return $", {length} bytes with their Ethernet header are more than the port's MTU allows";
            case DropReason.PeerUnknown:
                return $", {frame.Info.Outer.Remote.Address} is no VTEP of {walk.Domain.Name}";
            default:
                return "";
        }
    }

    private static string Kind(FdbKind kind) => kind switch
    {
        FdbKind.LearnedLocal or FdbKind.LearnedRemote => "learned",
        FdbKind.StaticLocal or FdbKind.StaticRemote => "static",
        FdbKind.Own => "the port's own MAC",
        FdbKind.StickyRemote => "from a controller, sticky",
        _ => "from a controller",
    };

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}
