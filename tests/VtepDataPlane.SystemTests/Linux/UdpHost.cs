// One end of a test of UDP queues: a namespace with an open underlay of two lanes, whose queues the test itself serves.

using System.Diagnostics;
using NUnit.Framework;
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

    /// <summary>Sends datagrams in one batch; what Flush says.</summary>
    public int SendBatch(IEnumerable<byte[]> payloads, OuterHeader outer, OffloadInfo offload = default, int lane = 0)
    {
        UdpQueue queue = Underlay.Queue(lane);
        _batch.Count = 0;
        foreach (byte[] payload in payloads)
        {
            Assert.That(_batch.TryAdd(payload));
            Frame frame = _batch[_batch.Count - 1];
            frame.Info.Outer = outer;
            frame.Info.Offload = offload;
            queue.Send(frame);
        }

        return queue.Flush();
    }

    private int SendHere(byte[] payload, OuterHeader outer, int lane) => SendBatch([payload], outer, lane: lane);

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
                foreach (Frame frame in _received)
                    lengths.Add(frame.Length);
            }

            Debug.Assert(lengths.Count <= count);
            return lengths.Count == count;
        });
        return lengths;
    }

    /// <summary>Receives on all lanes until <paramref name="count"/> datagrams came.</summary>
    public List<byte[]> ReceiveAll(int count)
    {
        var payloads = new List<byte[]>();
        Wait.Until($"{count} datagrams arrive, not {payloads.Count}", () =>
        {
            for (int lane = 0; lane < Lanes; lane++)
            {
                Underlay.Queue(lane).Receive(_received);
                foreach (Frame frame in _received)
                    payloads.Add(frame.Bytes.ToArray());
            }

            return payloads.Count >= count;
        });
        return payloads;
    }

    public void Dispose()
    {
        Underlay.Dispose();
        _workers.Dispose();
    }
}
