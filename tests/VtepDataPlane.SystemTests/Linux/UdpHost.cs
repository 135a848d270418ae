// One end of a test of UDP queues: a namespace with an open underlay of two lanes, whose queues the test itself serves.

using System.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.SystemTests.Linux;

/// <summary>A namespace with an underlay.</summary>
internal sealed class UdpHost : IDisposable
{
    public const int Lanes = 2;

    private readonly WorkerSet _workers = new(Lanes);
    private readonly FrameBatch _batch = new();
    private readonly FrameBatch _received = new();

    public UdpHost(NetlinkNamespace place, UnderlayConfig config)
    {
        Place = place;
        try
        {
            Underlay = InNamespace.Run(place.Name, () => UdpUnderlay.Open(config, place.Netlink, _workers, () => PathMtuFell++));
        }
        catch
        {
            _workers.Dispose();
            throw;
        }
    }

    public NetlinkNamespace Place { get; }

    public UdpUnderlay Underlay { get; }

    public int PathMtuFell { get; private set; }

    public VtepEndpoint Endpoint => new(Underlay.Local, UnderlayConfig.DefaultPort);

    public QueueMeters Meters(int lane = 0) => Underlay.Queue(lane).Meters;

    /// <summary>Sends one datagram, as a worker would, on a thread in the namespace; what Flush says.</summary>
    public int Send(byte[] payload, OuterHeader outer, int lane = 0) =>
        outer.DontFragment ? SendHere(payload, outer, lane) : InNamespace.Run(Place.Name, () => SendHere(payload, outer, lane));

    private int SendHere(byte[] payload, OuterHeader outer, int lane)
    {
        _batch.Count = 0;
        _batch.TryAdd(payload);
        _batch[0].Info.Outer = outer;
        UdpQueue queue = Underlay.Queue(lane);
        queue.Send(_batch[0]);
        return queue.Flush();
    }

    /// <summary>Waits for the next datagram on any lane or in a group.</summary>
    public (byte[] Payload, OuterHeader Outer) Receive(GroupQueue? group = null)
    {
        (byte[], OuterHeader)? found = null;
        Wait.Until("a datagram arrives", () => (found = TryReceive(group)) is not null);
        return found!.Value;
    }

    /// <summary>The next datagram that is there already.</summary>
    public (byte[] Payload, OuterHeader Outer)? TryReceive(GroupQueue? group = null)
    {
        var one = new FrameBatch(1);
        IFrameQueue[] queues = group is null ? [Underlay.Queue(0), Underlay.Queue(1)] : [group];
        foreach (IFrameQueue queue in queues)
        {
            if (queue.Receive(one) == 1)
                return (one[0].Bytes.ToArray(), one[0].Info.Outer);
        }

        return null;
    }

    /// <summary>Receives on all lanes until <paramref name="count"/> datagrams came; gives their lengths.</summary>
    public List<int> ReceiveLengths(int count)
    {
        var lengths = new List<int>();
        Wait.Until($"{count} datagrams arrive", () =>
        {
            for (int lane = 0; lane < Lanes; lane++)
            {
                Underlay.Queue(lane).Receive(_received);
                for (int i = 0; i < _received.Count; i++)
                    lengths.Add(_received[i].Length);
            }

            Debug.Assert(lengths.Count <= count);
            return lengths.Count == count;
        });
        return lengths;
    }

    public void Dispose()
    {
        Underlay.Dispose();
        _workers.Dispose();
    }
}
