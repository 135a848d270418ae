// One VTEP's attachment to a MemoryNetwork: the in-memory twin of the UDP underlay. Lanes are chosen by the source port, as SO_REUSEPORT chooses by
// the flow. A super-frame is cut up in Send, and what travels are its segments.
//
// One thread, the test's; on a live network as with any underlay: control loop, the queues their lanes, and datagrams come from any thread.

using System.Collections.Concurrent;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>An underlay without sockets. One thread, the test's.</summary>
public sealed class MemoryUnderlay : IUnderlay
{
    private const int FirstInterface = 1;

    private readonly MemoryNetwork _network;
    private readonly ushort _port;
    private readonly MemoryUnderlayQueue[] _queues;
    private readonly HashSet<MulticastGroup> _groups = [];
    private Action<int>? _wake;

    /// <summary>Attaches to a network at an address.</summary>
    /// <param name="network">The network.</param>
    /// <param name="local">Our address in it.</param>
    /// <param name="port">Our UDP port.</param>
    /// <param name="lanes">Queues, at least 1.</param>
    public MemoryUnderlay(MemoryNetwork network, InetAddress local, ushort port, int lanes)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        _port = port;
        Local = local;
        _queues = [.. Enumerable.Range(0, lanes).Select(_ => new MemoryUnderlayQueue(this, network))];
        network.Attach(this);
    }

    /// <summary>Attaches to a network as a configuration says.</summary>
    /// <exception cref="VtepException">It names an interface instead of an address.</exception>
    internal static MemoryUnderlay Open(MemoryNetwork network, UnderlayConfig config, int lanes) => config.Local is { } local
        ? new MemoryUnderlay(network, local, config.Port, lanes)
        : throw new VtepException("The underlay can't be opened: a network in memory has no interfaces to take an address from; give underlay.local.");

    /// <inheritdoc/>
    public InetAddress Local { get; set; }

    /// <inheritdoc/>
    public bool IsLocalAddressPresent { get; set; } = true;

    /// <summary>Interfaces that are missing now.</summary>
    public HashSet<string> MissingInterfaces { get; } = [];

    /// <summary>The interface routes to these VTEPs leave by, where it isn't the first.</summary>
    public Dictionary<InetAddress, int> RouteInterfaces { get; } = [];

    /// <summary>Groups joined now.</summary>
    public IReadOnlyCollection<MulticastGroup> Groups => _groups;

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public void WakeBy(Action<int> wake) => Volatile.Write(ref _wake, wake);

    /// <inheritdoc/>
    public UnderlayPath PathTo(in InetAddress remote)
    {
        InetAddress to = remote;
        return _network.Locked(() => _network.Unreachable.Contains(to)
            ? new UnderlayPath(PathStatus.NoRoute, 0, 0)
            : new UnderlayPath(PathStatus.Reachable, MtuTo(to), RouteInterfaces.GetValueOrDefault(to, FirstInterface)));
    }

    /// <inheritdoc/>
    public UnderlayPath PathThrough(string interfaceName) => MissingInterfaces.Contains(interfaceName)
        ? new UnderlayPath(PathStatus.NoRoute, 0, 0)
        : new UnderlayPath(PathStatus.Reachable, _network.Mtu, FirstInterface);

    /// <inheritdoc/>
    public void Join(in MulticastGroup group)
    {
        MulticastGroup joined = group;
        _network.Locked(() => _groups.Add(joined));
    }

    /// <inheritdoc/>
    public void Leave(in MulticastGroup group)
    {
        MulticastGroup left = group;
        _network.Locked(() => _groups.Remove(left));
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Detach(this);

    internal VtepEndpoint Source(ushort sourcePort) => new(Local, sourcePort);

    // The following under the network's lock.

    internal bool IsUnreachable(in InetAddress remote) => _network.Unreachable.Contains(remote);

    internal int MtuTo(in InetAddress remote) => _network.PathMtus.GetValueOrDefault(remote, _network.Mtu);

    internal bool Receives(MemoryDatagram datagram)
    {
        VtepEndpoint to = datagram.Outer.Remote;
        if (to.Port != _port)
            return false;
        return to.Address.IsMulticast
            ? datagram.Source.Address != Local && _groups.Any(group => group.Group == to.Address)
            : to.Address == Local;
    }

    /// <summary>A datagram arrives; false when its queue is full.</summary>
    internal bool TryAccept(MemoryDatagram datagram)
    {
        int lane = datagram.Source.Port % _queues.Length;
        if (!_queues[lane].TryAccept(datagram))
            return false;
        Volatile.Read(ref _wake)?.Invoke(lane);
        return true;
    }
}

/// <summary>One lane's queue of a <see cref="MemoryUnderlay"/>.</summary>
internal sealed class MemoryUnderlayQueue(MemoryUnderlay underlay, MemoryNetwork network) : IFrameQueue
{
    private const int IPv4AndUdp = 28;
    private const int IPv6AndUdp = 48;

    /// <summary>Datagrams that wait in a live network before further ones are lost: as many small ones as a socket holds at its default buffer of 208 KiB, times four.</summary>
    private const int Capacity = 1024;

    private readonly ConcurrentQueue<MemoryDatagram> _arrived = new();
    private readonly List<MemoryDatagram> _noted = [];

    public QueueMeters Meters { get; } = new();

    public bool TryAccept(MemoryDatagram datagram)
    {
        if (network.IsLive && _arrived.Count >= Capacity)
            return false;
        _arrived.Enqueue(datagram);
        return true;
    }

    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        while (batch.Count < batch.Capacity && _arrived.TryDequeue(out MemoryDatagram? datagram))
        {
            Meters.CountReceived(datagram.Payload.Length);
            if (datagram.Payload.Length > batch.Room)
            {
                Meters.CountDrop(DropReason.DatagramTruncated);
                continue;
            }

            datagram.Payload.CopyTo(batch.RoomOf(batch.Count));
            ref FrameInfo info = ref batch.Reset(batch.Count++, datagram.Payload.Length);
            info.Outer.Remote = datagram.Source;
            info.Outer.TrafficClass = datagram.Outer.TrafficClass;
            info.Outer.HopLimit = datagram.Outer.HopLimit;
        }

        return batch.Count;
    }

    public void Send(in Frame frame)
    {
        if (frame.Info.Offload.IsSuperFrame)
            NoteSegments(frame);
        else
            Note(frame.Info, frame.Bytes.ToArray());
    }

    public int Flush()
    {
        int sent = 0;
        foreach (MemoryDatagram datagram in _noted)
        {
            DropReason reason = network.Locked(() => Fate(datagram));
            if (reason == DropReason.None)
            {
                network.Send(datagram);
                Meters.CountSent(datagram.Payload.Length);
                sent++;
            }
            else
            {
                Meters.CountDrop(reason, frames: 1, datagram.Ticket);
            }
        }

        _noted.Clear();
        return sent;
    }

    private void NoteSegments(in Frame frame)
    {
        ReadOnlySpan<byte> vxlan = frame.Bytes[..VxlanHeader.Size];
        ReadOnlySpan<byte> inner = frame.Bytes[VxlanHeader.Size..];
        if (!Segmenter.TryCreate(inner, frame.Info.Offload, out Segmenter segmenter))
        {
            Meters.CountDrop(DropReason.GsoUnsupported, frames: 1, frame.Info.Ticket);
            return;
        }

        for (int i = 0; i < segmenter.Count; i++)
        {
            ReadOnlySpan<byte> payload = inner.Slice(segmenter.PayloadOffset(i), segmenter.PayloadLength(i));
            byte[] datagram = [.. vxlan, .. new byte[segmenter.HeaderLength], .. payload];
            segmenter.WriteHeader(i, datagram.AsSpan(VxlanHeader.Size));
            Note(frame.Info, datagram);
        }

        Meters.CountSegmented(segmenter.Count - 1);
    }

    private void Note(in FrameInfo info, byte[] payload) =>
        _noted.Add(new MemoryDatagram(underlay.Source(info.Outer.SourcePort), info.Outer, payload) { Ticket = info.Ticket });

    private DropReason Fate(MemoryDatagram datagram)
    {
        InetAddress remote = datagram.Outer.Remote.Address;
        int headers = remote.IsIPv6 ? IPv6AndUdp : IPv4AndUdp;
        return underlay.IsUnreachable(remote) ? DropReason.NoRoute
            : datagram.Payload.Length + headers > underlay.MtuTo(remote) ? DropReason.LinkMtuExceeded
            : DropReason.None;
    }
}
