// A machine in memory: the twin of a Linux host. It opens in-memory ports by name and an attachment to a MemoryNetwork, and serves
// the lanes when told to, on the caller's thread: a whole network of VTEPs runs in one process, step by step, without root.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>A host without a kernel. One thread, the test's. It asks ports of the program's own as it does its own: they needn't wake anybody.</summary>
public sealed class MemoryHost(MemoryNetwork network, InetAddress address) : IHostNetwork
{
    private readonly Dictionary<string, MemoryPort> _ports = [];
    private readonly List<AccessPort> _served = [];

    /// <summary>Ports opened by name; the one opened last where a name was used again.</summary>
    public IReadOnlyDictionary<string, MemoryPort> Ports => _ports;

    /// <summary>The attachment, once opened.</summary>
    public MemoryUnderlay? Underlay { get; private set; }

    /// <summary>Names of devices that can't be opened, with the reason.</summary>
    public Dictionary<string, string> Refusals { get; } = [];

    /// <summary>Ports served now.</summary>
    public IReadOnlyList<AccessPort> Served => _served;

    /// <summary>Called with a port that is about to be withdrawn.</summary>
    public Action<AccessPort>? Withdrawing { get; set; }

    /// <summary>A refusal holds for the next attempt only.</summary>
    public bool RefuseOnce { get; set; }

    /// <summary>MACs of devices, by name; zero for others.</summary>
    public Dictionary<string, MacAddress> Macs { get; } = [];

    /// <inheritdoc/>
    public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Underlay = new MemoryUnderlay(network, config.Local ?? address, config.Port, lanes);
    }

    /// <inheritdoc/>
    public IAccessPort OpenPort(PortConfig config, int lanes)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (Refusals.TryGetValue(config.Tap, out string? why))
        {
            if (RefuseOnce)
                Refusals.Remove(config.Tap);
            throw new VtepException($"Port {config.Tap} can't be opened: {why}");
        }

        if (_ports.TryGetValue(config.Tap, out MemoryPort? open) && !open.IsDisposed)
            throw new VtepException($"Port {config.Tap} is open already.");
        return _ports[config.Tap] = new MemoryPort(config.Tap, lanes, config.Mtu ?? 1450, config.Mac ?? Macs.GetValueOrDefault(config.Tap));
    }

    /// <inheritdoc/>
    public void Serve(AccessPort port) => _served.Add(port);

    /// <inheritdoc/>
    public void Withdraw(AccessPort port)
    {
        Withdrawing?.Invoke(port);
        _served.Remove(port);
    }

    /// <summary>Serves every lane until nothing waits; returns frames received, and those let go on an answer. Deliver the network's datagrams in between.</summary>
    /// <param name="vtep">The one this host was given to.</param>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    public int Run(Vtep vtep, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(vtep);
        int total = 0, round;
        do
        {
            round = 0;
            foreach (Lane lane in vtep.Lanes)
            {
                foreach (AccessPort port in _served)
                    round += lane.ServePort(port, nowMilliseconds);
                round += lane.ServeUnderlay(Underlay!.Queue(lane.Index), nowMilliseconds);
                round += lane.ServeAnswers(nowMilliseconds);
            }

            total += round;
        }
        while (round > 0);
        return total;
    }
}
