// Who looks on while frames are decided about. A lane has at most one observer; normally it has none. The walks are compiled twice (IWatch), for lanes
// that are watched and for lanes that aren't, and which is taken is decided once a batch: a frame that nobody looks at pays nothing. A capture (Diagnostics/Capture) is an observer, and so is whoever explains a frame
// (Diagnostics/Explain): that one is dry, nothing is sent, learned, asked or counted for it, by the same code that does so otherwise.
//
// What is told, in this order, all on the lane's thread:
//
//   Begin                      a frame comes: from a port, from the underlay, or from among those that were held
//   Admitted Learned LookedUp  what was found out about it (Admitted, Held: to dry observers only)
//   ToPort ToVtep ToGroup      a copy goes to a queue; the number returned is its ticket, by which the queue tells if it drops the copy
//   Dropped                    the frame, or one copy of it, ends here
//   Held                       it waits for a controller's answer; it comes again, with Begin
//   Originated                 a frame of our own making goes to a port
//   Refused                    frames were received and dropped by the queue itself: nobody has seen their bytes
//   Flushed                    all queues have sent what they had: no ticket given so far is used any more

using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Looks on on one lane. All members are called by the lane's thread.</summary>
/// <param name="isDry">Nothing is to be done, only to be told.</param>
internal abstract class FrameObserver(bool isDry)
{
    /// <summary>A ticket that means nobody asks.</summary>
    protected const int NoTicket = 0;

    /// <summary>Nothing is sent, learned, asked or counted.</summary>
    public bool IsDry { get; } = isDry;

    /// <summary>Told by queues what they drop; null: doesn't want to know.</summary>
    public virtual IDropWitness? Witness => null;

    /// <summary>
    /// Where the inner frame starts in its slot: the same all the while, whether a VXLAN header is still, or already, in front of it. Of the frame
    /// that came last, unless an observer looks at another in between.
    /// </summary>
    protected int InnerStart { get; set; }

    /// <summary>A frame comes. From the underlay it starts with its VXLAN header.</summary>
    public virtual void Begin(in Walk walk, in Frame frame) =>
        InnerStart = frame.Info.Offset + (walk.IsFromUnderlay ? VxlanHeader.Size : 0);

    /// <summary>The inner frame, of a frame in whatever state; empty when it is too short to have one.</summary>
    protected ReadOnlySpan<byte> InnerOf(in Frame frame)
    {
        ReadOnlySpan<byte> bytes = frame.Bytes;
        int skip = InnerStart - frame.Info.Offset;
        return skip <= bytes.Length ? bytes[skip..] : default;
    }

    /// <summary>The sender may send to the domain. Told to dry observers only.</summary>
    /// <param name="walk">In which walk.</param>
    /// <param name="sender">The outer source.</param>
    /// <param name="isNew">Nobody heard of it before.</param>
    public virtual void Admitted(in Walk walk, in InetAddress sender, bool isNew)
    {
    }

    /// <summary>What the frame's source meant for the FDB.</summary>
    /// <param name="walk">In which walk.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="result">What was done, or would be.</param>
    /// <param name="before">Where the FDB had the source until now.</param>
    public virtual void Learned(in Walk walk, in Frame frame, LearnResult result, FdbTarget before)
    {
    }

    /// <summary>Where the FDB says the frame's destination is.</summary>
    /// <returns>The same; of a dry observer, what it would say had the frame's source been learned.</returns>
    public virtual FdbTarget LookedUp(in Walk walk, in Frame frame, FdbTarget target) => target;

    /// <summary>A copy goes to a port, the inner frame alone.</summary>
    /// <returns>Its ticket, or <see cref="NoTicket"/>.</returns>
    public abstract int ToPort(in Walk walk, in Frame frame, AccessPort port);

    /// <summary>A copy goes to a VTEP, VXLAN header in front; its outer header is complete.</summary>
    /// <returns>Its ticket, or <see cref="NoTicket"/>.</returns>
    public abstract int ToVtep(in Walk walk, in Frame frame, int vtep);

    /// <summary>A copy goes to a group, VXLAN header in front; its outer header is complete.</summary>
    /// <returns>Its ticket, or <see cref="NoTicket"/>.</returns>
    public abstract int ToGroup(in Walk walk, in Frame frame, GroupTarget group);

    /// <summary>The frame, or a copy of it, ends here.</summary>
    /// <param name="walk">In which walk.</param>
    /// <param name="frame">With or without its VXLAN header in front, as far as it came.</param>
    /// <param name="reason">Why.</param>
    /// <param name="toward">Where this copy was to go, if not where the FDB said.</param>
    public abstract void Dropped(in Walk walk, in Frame frame, DropReason reason, Toward toward);

    /// <summary>The frame waits for an answer about the key.</summary>
    /// <param name="walk">In which walk.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="key">What is to be found out.</param>
    /// <param name="isAsked">The controller is asked for it; false: it was already.</param>
    public virtual void Held(in Walk walk, in Frame frame, in MissKey key, bool isAsked)
    {
    }

    /// <summary>A frame of our own making goes to a port.</summary>
    /// <returns>Its ticket, or <see cref="NoTicket"/>.</returns>
    public abstract int Originated(Lane lane, in Frame frame, AccessPort port);

    /// <summary>A queue received frames and dropped them itself.</summary>
    /// <param name="port">Of which port; null: of the underlay.</param>
    /// <param name="reason">Why.</param>
    /// <param name="frames">How many.</param>
    public virtual void Refused(AccessPort? port, DropReason reason, long frames)
    {
    }

    /// <summary>All that was handed to queues is sent or dropped.</summary>
    public virtual void Flushed()
    {
    }
}

/// <summary>Where a copy of a flooded frame was to go.</summary>
/// <param name="Port">A port.</param>
/// <param name="Remote">A VTEP or a group.</param>
internal readonly record struct Toward(AccessPort? Port, VtepEndpoint? Remote)
{
    /// <summary>Where the FDB said, or nowhere.</summary>
    public static Toward Nothing => default;

    /// <summary>The same, what the FDB said being filled in. Out of the tunnel nothing goes to a VTEP.</summary>
    public Toward Or(FdbTarget target, in Walk walk, RemoteVteps vteps) =>
        Port is not null || Remote is not null ? this
        : target.IsLocal ? new Toward(walk.DomainOrNone?.Port(target.Id), Remote: null)
        : target.IsRemote && !walk.IsFromUnderlay ? new Toward(Port: null, vteps.EndpointOf(target.Id))
        : Nothing;
}

/// <summary>
/// Whether somebody may look on, known when a walk is compiled: the runtime compiles generic code anew for each struct, and what stands behind a
/// comparison with a constant null isn't there at all.
/// </summary>
internal interface IWatch
{
    /// <summary>Who looks on in the walk; null: nobody.</summary>
    static abstract FrameObserver? ObserverOf(in Walk walk);
}

/// <summary>Nobody looks on.</summary>
internal readonly struct Unwatched : IWatch
{
    /// <inheritdoc/>
    public static FrameObserver? ObserverOf(in Walk walk) => null;
}

/// <summary>Whoever looks on in the walk, if somebody does. Code that isn't run for most frames is compiled for this only.</summary>
internal readonly struct Watched : IWatch
{
    /// <inheritdoc/>
    public static FrameObserver? ObserverOf(in Walk walk) => walk.Observer;
}
