// A host whose queues hand out prepared frames and swallow what is sent: nothing but the data plane is measured. Receiving costs one
// copy of the frame into its slot, which a real queue has the kernel do.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

/// <summary>Hands out its frames in turn, a full batch at a time.</summary>
public sealed class BenchQueue : IFrameQueue
{
    private int _next;
    private int _noted;

    public byte[][] Frames { get; set; } = [];

    public VtepEndpoint Source { get; set; }

    public QueueMeters Meters { get; } = new();

    public int Receive(FrameBatch batch)
    {
        batch.Count = batch.Capacity;
        for (int i = 0; i < batch.Capacity; i++)
        {
            byte[] frame = Frames[_next];
            _next = _next + 1 == Frames.Length ? 0 : _next + 1;
            frame.CopyTo(batch.RoomOf(i));
            batch.Reset(i, frame.Length).Outer.Remote = Source;
            Meters.CountReceived(frame.Length);
        }

        return batch.Count;
    }

    public void Send(in Frame frame)
    {
        _noted++;
        Meters.CountSent(frame.Length);
    }

    public int Flush()
    {
        int sent = _noted;
        _noted = 0;
        return sent;
    }
}

/// <summary>One port, one underlay.</summary>
public sealed class BenchHost : IHostNetwork
{
    public BenchQueue PortQueue { get; } = new();

    public BenchQueue UnderlayQueue { get; } = new();

    public AccessPort? Port { get; private set; }

    public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes) => new BenchUnderlay(UnderlayQueue, config.Local!.Value);

    public IAccessPort OpenPort(PortConfig config, int lanes) => new BenchPort(config.Tap, PortQueue);

    public void Serve(AccessPort port) => Port = port;

    public void Withdraw(AccessPort port) => Port = null;

    private sealed class BenchPort(string name, BenchQueue queue) : IAccessPort
    {
        public string Name => name;

        public MacAddress Mac => default;

        public int InterfaceIndex => 0;

        public int Mtu => 1450;

        public bool IsUp => true;

        public IFrameQueue Queue(int lane) => queue;

        public bool TrySetMtu(int mtu, out string? why)
        {
            why = "a benchmark's port has a fixed MTU";
            return false;
        }

        public void Dispose()
        {
        }
    }

    private sealed class BenchUnderlay(BenchQueue queue, InetAddress local) : IUnderlay
    {
        public InetAddress Local => local;

        public bool IsLocalAddressPresent => true;

        public IFrameQueue Queue(int lane) => queue;

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
