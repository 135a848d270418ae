// A TAP device as an access port: opening it, setting it up (MAC, MTU, bridge, addresses, up) by rtnetlink, and giving back what
// was found. Rules:
//   - A device we created gets everything, and vanishes with us. One we adopted is changed where it differs from the
//     configuration, and on Dispose gets back the MTU, MAC, bridge, up state and limits it had; addresses we added are removed.
//   - Without CAP_NET_ADMIN nothing can be changed. What is already right is accepted. A wrong MAC, bridge or address is an
//     error, since frames would go astray; an MTU or "down" is a warning, since the port works (or will, once it is set up).
//     Limits of super-frames that can't be set are neither: frames are then cut into two sends.
//   - The device may be deleted at any time. The port then keeps its identity and its queues, IsUp is false, and TryReopen
//     gets new descriptors for the same queues: the forwarder needn't know.
//
// Control loop only; the queues belong to their lanes, the properties may be read by any thread.

using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Tap;

/// <summary>How devices are made; the same for all ports of a VTEP.</summary>
/// <param name="IsMultiQueue">A created device gets a queue for each lane.</param>
/// <param name="TxQueueLength">Frames a created device holds for us to read; 8 bytes of kernel memory each.</param>
/// <param name="HasIPv6">The kernel may speak IPv6 on a created device that isn't given addresses: a link-local one at least.</param>
internal readonly record struct TapSettings(bool IsMultiQueue, int TxQueueLength, bool HasIPv6)
{
    private const int FewPorts = 256;

    /// <summary>The kernel cuts super-frames up itself and hands over plain frames, as it does when it is too old for anything else.</summary>
    public bool WithoutSuperFrames { get; init; }

    /// <summary>The kernel's super-frames are kept to what one send carries (<see cref="GsoLimits"/>): two more requests a device.</summary>
    public bool LimitsSuperFrames { get; init; }

    /// <summary>As fits the number of ports a VTEP has.</summary>
    public static TapSettings For(int ports) => ports <= FewPorts ? Few : Many;

    /// <summary>For a handful of ports.</summary>
    public static TapSettings Few => new(IsMultiQueue: true, TxQueueLength: 10_000, HasIPv6: true) { LimitsSuperFrames = true };

    /// <summary>
    /// For thousands of ports. A multi-queue device has room for 256 queues, some 200 KiB of kernel memory, and a long queue another
    /// 80 KiB; so many ports spread over the lanes as well by one queue each. And each device that speaks IPv6 adds routes to
    /// ff00::/8 and fe80::/64, of which the kernel walks all whenever a device is set up or its MTU changes: two minutes for ten
    /// thousand devices, and seconds without. Frames of IPv6 pass through the port all the same.
    /// </summary>
    public static TapSettings Many => new(IsMultiQueue: false, TxQueueLength: 1_000, HasIPv6: false);
}

/// <summary>A TAP device as an access port.</summary>
internal sealed class TapPort : IAccessPort
{
    private readonly PortConfig _config;
    private readonly TapSettings _settings;
    private readonly RtNetlink _netlink;
    private readonly Workers.WorkerSet _workers;
    private readonly TapQueue[] _queues;
    private readonly List<string> _warnings = [];
    private readonly List<InterfaceAddress> _added = [];
    private TapDevice? _device;
    private LinkInfo? _found;
    private GsoLimits _foundLimits;
    private GsoLimits _limits;
    private (int Mtu, int Master)? _limitedFor;
    private ulong _mac;
    private int _index;
    private int _mtu;
    private bool _isUp;

    private TapPort(PortConfig config, int lanes, TapSettings settings, RtNetlink netlink, Workers.WorkerSet workers)
    {
        _config = config;
        _settings = settings;
        _netlink = netlink;
        _workers = workers;
        _queues = [.. Enumerable.Range(0, lanes).Select(lane => new TapQueue(workers[lane].Taps))];
    }

    /// <inheritdoc/>
    public string Name => _config.Tap;

    /// <inheritdoc/>
    public MacAddress Mac => new(Volatile.Read(ref _mac));

    /// <inheritdoc/>
    public int InterfaceIndex => Volatile.Read(ref _index);

    /// <inheritdoc/>
    public int Mtu => Volatile.Read(ref _mtu);

    /// <inheritdoc/>
    public bool IsUp => Volatile.Read(ref _isUp);

    /// <summary>There was no such device before us: it is ours to make anew, and to remove.</summary>
    public bool IsCreated { get; private set; }

    /// <summary>The device is open (it may be deleted all the same, see <see cref="IsGone"/>).</summary>
    public bool IsOpen => _device is not null;

    /// <summary>What the kernel may leave to us on frames we read (TUN_F_*); 0 while the device isn't open.</summary>
    public uint Offloads => _device?.Offloads ?? 0;

    /// <summary>The device was deleted under us.</summary>
    public bool IsGone => _queues.Any(queue => queue.IsGone);

    /// <summary>What couldn't be set up for lack of rights, a sentence each.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Opens (creates or adopts) and sets up a device.</summary>
    /// <exception cref="VtepException">It can't be; nothing is left open or changed.</exception>
    public static TapPort Open(PortConfig config, int lanes, TapSettings settings, RtNetlink netlink, Workers.WorkerSet workers)
    {
        var port = new TapPort(config, lanes, settings, netlink, workers);
        port.OpenDevice();
        port.IsCreated = port._device!.IsCreated;
        return port;
    }

    /// <inheritdoc/>
    IFrameQueue IAccessPort.Queue(int lane) => _queues[lane];

    /// <summary>The queue of a lane.</summary>
    public TapQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public bool TrySetMtu(int mtu, out string? why)
    {
        why = null;
        if (mtu == Mtu)
            return true;
        int error = IsOpen ? _netlink.SetLink(InterfaceIndex, new LinkChange { Mtu = mtu }) : -LibC.ENODEV;
        if (error < 0)
        {
            why = _netlink.Explain(error);
            return false;
        }

        Volatile.Write(ref _mtu, mtu);
        if (_settings.LimitsSuperFrames)
            LimitSuperFrames(_netlink.GetLink(InterfaceIndex));
        return true;
    }

    /// <summary>
    /// Takes over MTU, MAC and up state of the device as it is now, null when it is deleted, and fits what hangs on them. True when
    /// something changed.
    /// </summary>
    public bool Refresh(LinkInfo? link)
    {
        bool isUp = link is { IsUp: true } && link.Index == InterfaceIndex && IsOpen && !IsGone;
        bool hasChanged = isUp != IsUp;
        if (link is not null && link.Index == InterfaceIndex)
        {
            hasChanged |= link.Mtu != Mtu || link.Mac != Mac;
            Volatile.Write(ref _mtu, link.Mtu);
            Volatile.Write(ref _mac, link.Mac.Value);
            LimitSuperFrames(link);
        }

        Volatile.Write(ref _isUp, isUp);
        return hasChanged;
    }

    /// <summary>Lets go of a deleted device's descriptors. The caller has taken them off the workers' polls.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _isUp, false);
        CloseDevice();
    }

    /// <summary>Opens the device again after <see cref="Abandon"/>: makes it anew if it was ours, takes it if it is back.</summary>
    /// <returns>Null, or why not.</returns>
    public string? TryReopen()
    {
        try
        {
            if (!IsCreated && _netlink.GetLink(Name) is null)
                return $"Port '{Name}': the device is gone. It was there before the VTEP, so it is for its owner to make anew.";
            OpenDevice();
            return null;
        }
        catch (VtepException e)
        {
            return e.Message;
        }
    }

    /// <summary>Puts a created device into a group, so that many can be deleted at once.</summary>
    public void SetGroup(int group)
    {
        if (IsOpen && IsCreated)
            _ = _netlink.SetLink(InterfaceIndex, new LinkChange { Group = group }); // if not, it goes with its descriptors
    }

    /// <summary>Gives back what was found, and closes the device.</summary>
    public void Dispose()
    {
        if (_device is { IsCreated: false } && _netlink.GetLink(Name) is { } link && link.Index == InterfaceIndex)
            Restore(link);
        CloseDevice();
    }

    private void OpenDevice()
    {
        _warnings.Clear();
        _added.Clear();
        _found = _netlink.GetLink(Name);
        TapDevice device = TapDevice.Open(
            Name, _found, _settings.IsMultiQueue || _found is not null ? _queues.Length : 1, takesSuperFrames: !_settings.WithoutSuperFrames);
        _device = device;
        try
        {
            LinkInfo link = _netlink.GetLink(Name)
                ?? throw new VtepException($"Port '{Name}': the device was deleted while it was being opened.");
            Volatile.Write(ref _index, link.Index);
            _foundLimits = _limits = LimitsOf(link);
            _limitedFor = null;
            SetUp(link);
            AttachQueues(device.Descriptors);
            _ = Refresh(_netlink.GetLink(link.Index));
        }
        catch (VtepException)
        {
            Dispose();
            throw;
        }
    }

    // With fewer kernel queues than lanes, which lane receives hangs on the interface's index, so that many such ports spread.
    private void AttachQueues(IReadOnlyList<int> descriptors)
    {
        bool isShared = descriptors.Count < _queues.Length;
        for (int lane = 0; lane < _queues.Length; lane++)
        {
            int queue = isShared ? (lane + _queues.Length - InterfaceIndex % _queues.Length) % _queues.Length : lane;
            bool receives = queue < descriptors.Count;
            _queues[lane].Attach(descriptors[receives ? queue : 0], receives);
        }
    }

    private void SetUp(LinkInfo link)
    {
        if (_device!.IsCreated)
        {
            Require(_netlink.SetNoQueue(link.Index), "its queueing discipline can't be set");
            bool hasIPv6 = _settings.HasIPv6 || _config.Addresses.Any(address => address.Address.IsIPv6);
            var change = new LinkChange { TxQueueLength = _settings.TxQueueLength, NoAutomaticIPv6Address = !hasIPv6 };
            Require(_netlink.SetLink(link.Index, change), "its queue length can't be set");
            if (!hasIPv6)
                DisableIPv6();
        }

        // A device that was deleted and is made again keeps its MAC: its neighbours know it by that.
        MacAddress mac = _config.Mac ?? (_device.IsCreated ? Mac : MacAddress.Zero);
        if (!mac.IsZero && mac != link.Mac)
            Require(_netlink.SetLink(link.Index, new LinkChange { Mac = mac }), $"its MAC can't be set to {mac}");
        if (_config.Mtu is { } mtu && mtu != link.Mtu)
            Want(_netlink.SetLink(link.Index, new LinkChange { Mtu = mtu }), $"its MTU can't be set to {mtu} and stays {link.Mtu}");
        AttachToBridge(link);
        AddAddresses(link);
        if (!link.IsUp)
            Want(_netlink.SetLink(link.Index, new LinkChange { Up = true }), "it can't be set up and stays down");
    }

    // Decided anew when the MTU or the bridge changes only: this is asked for every port whenever anything on the host does. What can't be
    // set isn't tried again until something else is wanted, and what somebody else set meanwhile stays.
    private void LimitSuperFrames(LinkInfo? link)
    {
        if (link is null || !IsOpen || !_settings.LimitsSuperFrames || _limitedFor == (link.Mtu, link.Master))
            return;
        _limitedFor = (link.Mtu, link.Master);
        GsoLimits wanted = link.Master != 0 || GsoLimits.IsRouter() ? _foundLimits : GsoLimits.For(link.Mtu);
        if (wanted == _limits)
            return;
        _limits = wanted;
        _ = _netlink.SetLink(link.Index, new LinkChange { GsoMaxSegments = wanted.MaxSegments, GsoMaxSize = wanted.MaxSize });
    }

    private static GsoLimits LimitsOf(LinkInfo link) => new(link.GsoMaxSegments, link.GsoMaxSize);

    // There is no netlink attribute for this one. Where /proc/sys is read-only, the device has IPv6 without addresses: only slower.
    private void DisableIPv6()
    {
        try
        {
            File.WriteAllText($"/proc/sys/net/ipv6/conf/{Name}/disable_ipv6", "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }

    private void AttachToBridge(LinkInfo link)
    {
        if (_config.Bridge is not { } name)
            return;
        LinkInfo bridge = _netlink.GetLink(name) ?? throw new VtepException($"Port '{Name}': {TapTrouble.NoBridge(name).Sentences}");
        if (bridge.Kind != "bridge")
            throw new VtepException($"Port '{Name}': {TapTrouble.NotABridge(bridge).Sentences}");
        if (link.Master != bridge.Index)
            Require(_netlink.SetLink(link.Index, new LinkChange { Master = bridge.Index }), $"it can't be attached to the bridge '{name}'");
    }

    private void AddAddresses(LinkInfo link)
    {
        if (_config.Addresses.Count == 0)
            return;
        HashSet<InterfaceAddress> there =
        [
            .. _netlink.GetAddresses().Where(a => a.Index == link.Index).Select(a => new InterfaceAddress(a.Address, a.PrefixLength)),
        ];
        foreach (InterfaceAddress address in _config.Addresses)
        {
            if (there.Contains(address))
                continue;
            Require(_netlink.AddAddress(link.Index, address), $"it can't be given the address {address}");
            _added.Add(address);
        }
    }

    private void Require(int error, string what)
    {
        if (error < 0)
            throw new VtepException($"Port '{Name}': {what}: {_netlink.Explain(error)}. {Remedy(error)}");
    }

    private void Want(int error, string what)
    {
        if (error < 0)
            _warnings.Add($"Port '{Name}': {what}: {_netlink.Explain(error)}. {Remedy(error)}");
    }

    private string Remedy(int error) => error == -LibC.EPERM || error == -LibC.EACCES
        ? $"Set it beforehand on the device ('ip link set dev {Name} ...'), or run with CAP_NET_ADMIN."
        : "Correct the configuration of the port.";

    // Errors are passed over here: the device may be half gone or ours no more, and there is nobody left to act on them.
    private void Restore(LinkInfo now)
    {
        foreach (InterfaceAddress address in _added)
            _ = _netlink.RemoveAddress(now.Index, address);
        if (_found is not { } found || found.Index != now.Index)
            return;
        var back = new LinkChange
        {
            Master = now.Master != found.Master && _config.Bridge is not null ? found.Master : null,
            Mac = now.Mac != found.Mac && _config.Mac is not null ? found.Mac : null,
            Mtu = now.Mtu != found.Mtu ? found.Mtu : null,
            GsoMaxSegments = LimitsOf(now) != _foundLimits ? _foundLimits.MaxSegments : null,
            GsoMaxSize = LimitsOf(now) != _foundLimits ? _foundLimits.MaxSize : null,
            Up = now.IsUp && !found.IsUp ? false : null,
        };
        if (back != default)
            _ = _netlink.SetLink(now.Index, back);
    }

    private void CloseDevice()
    {
        if (_device is not { } device)
            return;
        foreach (TapQueue queue in _queues)
            queue.Detach();

        // A worker may be in a call with one of the descriptors, and a closed number is soon another file's.
        _workers.Quiesce();
        device.Close();
        _device = null;
    }
}
