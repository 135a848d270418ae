// A host with one port and one underlay in memory.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>One port, one underlay.</summary>
internal sealed class BenchHost : IHostNetwork
{
    private const string FixedMtu = "a benchmark's port has a fixed MTU";

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
            why = FixedMtu;
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
