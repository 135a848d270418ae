// Lanes run on threads of their own while the control loop reconfigures, ages and reads snapshots: no frame goes unaccounted, none
// crosses into another domain, a closed port is never used again. Bounded by work, not by time.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ConcurrencyTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";
    private const int Reconfigurations = 300;

    [Test]
    public void ReconfiguringUnderTraffic_LosesNothingUnaccounted_AndUsesNoClosedPort()
    {
        var host = new BusyHost();
        BridgeDomainConfig stays = Domain(100, ["stays"], [B]);
        VtepConfig config = new()
        {
            Workers = 3,
            FdbCapacity = 512,
            Underlay = new UnderlayConfig { Local = InetAddress.Parse(A) },
            BridgeDomains = [stays],
        };
        using var vtep = new Vtep(config, host, seed: 7, nowMilliseconds: 0);
        using var stop = new CancellationTokenSource();
        Thread[] workers = [.. vtep.Lanes.Select(lane => Start(lane, host, stop.Token))];

        long now = 0;
        for (int i = 0; i < Reconfigurations; i++)
        {
            BridgeDomainConfig comes = Domain(200 + i % 3, [$"t{i % 2}"], i % 2 == 0 ? [B, C] : [C]);
            vtep.Apply(config with { BridgeDomains = i % 5 == 0 ? [stays] : [stays, comes] }, now);
            vtep.Tick(now += 1000);
            vtep.Status();
            vtep.Fdb(now);
            vtep.Peers(now);
        }

        stop.Cancel();
        foreach (Thread worker in workers)
            worker.Join();
        Assert.That(host.Failures, Is.Empty);
        Assert.That(vtep.Counters().Received, Is.GreaterThan(Reconfigurations));
        Assert.That(vtep.Counters().Unaccounted, Is.Zero);
        Assert.That(vtep.Domains()[0].Drops.Keys, Is.SubsetOf(new[] { DropReason.SamePort, DropReason.SplitHorizon, DropReason.EntryExists }));
    }

    private static Thread Start(Lane lane, BusyHost host, CancellationToken stop)
    {
        var thread = new Thread(() =>
        {
            for (long now = 0; !stop.IsCancellationRequested; now++)
            {
                foreach (AccessPort port in host.Served)
                    host.ServeUnlessWithdrawn(lane, port, now);
                lane.ServeUnderlay(host.Underlays[lane.Index], now);
            }
        });
        thread.Start();
        return thread;
    }

    /// <summary>Ports and underlay that always have traffic, and notice being used after they were closed.</summary>
    private sealed class BusyHost : IHostNetwork
    {
        private readonly byte[][] _frames = [Arp(MacA), Udp(MacA, MacB), Udp(MacB, MacA), Udp(MacA, MacAddress.Parse("02:00:00:00:00:55"))];
        private readonly Lock _gate = new();
        private volatile AccessPort[] _served = [];

        public AccessPort[] Served => _served;

        public BusyQueue[] Underlays { get; private set; } = [];

        public System.Collections.Concurrent.ConcurrentQueue<string> Failures { get; } = new();

        public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes)
        {
            Underlays = [.. Enumerable.Range(0, lanes).Select(_ => new BusyQueue(this, "underlay", [.. _frames.Select(frame => Vxlan(100, frame))]))];
            return new BusyUnderlay(Underlays, config.Local!.Value);
        }

        public IAccessPort OpenPort(PortConfig config, int lanes) =>
            new BusyPort(config.Tap, [.. Enumerable.Range(0, lanes).Select(_ => new BusyQueue(this, config.Tap, _frames))]);

        public void Serve(AccessPort port)
        {
            lock (_gate)
                _served = [.. _served, port];
        }

        // as a real host: returns when no lane polls the port any more; one may still be in a batch
        public void Withdraw(AccessPort port)
        {
            lock (_gate)
                _served = [.. _served.Where(served => served != port)];
        }

        public void ServeUnlessWithdrawn(Lane lane, AccessPort port, long now)
        {
            lock (_gate)
            {
                if (!_served.Contains(port))
                    return;
            }

            // between the check and the batch the port may be withdrawn; the queue then has nothing, as a closed descriptor has nothing
            lane.ServePort(port, now);
        }
    }

    private sealed class BusyQueue(BusyHost host, string name, byte[][] frames) : IFrameQueue
    {
        private int _noted;
        private int _turn;
        private volatile bool _closed;

        public QueueMeters Meters { get; } = new();

        public void Close() => _closed = true;

        public int Receive(FrameBatch batch)
        {
            batch.Count = 0;
            if (_closed)
                return 0;
            byte[] frame = frames[_turn++ % frames.Length];
            Meters.CountReceived(frame.Length);
            batch.TryAdd(frame);
            FrameInfo info = batch[0].Info;
            info.Outer.Remote = new VtepEndpoint(InetAddress.Parse(B), 50_000);
            batch[0].Info = info;
            return 1;
        }

        public void Send(in Frame frame)
        {
            if (_closed)
                host.Failures.Enqueue($"{name} was sent to after it was closed");
            _noted++;
            Meters.CountSent(frame.Length);
        }

        public int Flush()
        {
            if (_closed && _noted > 0)
                host.Failures.Enqueue($"{name} was flushed after it was closed");
            (int sent, _noted) = (_noted, 0);
            return sent;
        }
    }

    private sealed class BusyPort(string name, BusyQueue[] queues) : IAccessPort
    {
        public string Name => name;

        public MacAddress Mac => default;

        public int InterfaceIndex => 0;

        public int Mtu => 1450;

        public bool IsUp => true;

        public IFrameQueue Queue(int lane) => queues[lane];

        public bool TrySetMtu(int mtu, out string? why)
        {
            why = null;
            return true;
        }

        public void Dispose()
        {
            foreach (BusyQueue queue in queues)
                queue.Close();
        }
    }

    private sealed class BusyUnderlay(BusyQueue[] queues, InetAddress local) : IUnderlay
    {
        public InetAddress Local => local;

        public bool IsLocalAddressPresent => true;

        public IFrameQueue Queue(int lane) => queues[lane];

        public UnderlayPath PathTo(in InetAddress remote) => new(PathStatus.Reachable, 1500, 1);

        public UnderlayPath PathThrough(string interfaceName) => new(PathStatus.Reachable, 1500, 1);

        public void Join(in MulticastGroup group)
        {
        }

        public void Leave(in MulticastGroup group)
        {
        }

        public void Dispose()
        {
        }
    }
}
