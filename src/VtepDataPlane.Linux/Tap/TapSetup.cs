// Makes the TAP devices of a configuration beforehand, as root, for a daemon that runs as another user without any capability; and removes
// them. Declarative: a device that isn't there is made (persistent, multi-queue, the user's), one that is there and differs in MTU, MAC, bridge,
// addresses or state is changed, one that is right is left alone. What can't be changed on a device that is there (its kind, its owner, its queues) is an
// error that says how to make it anew: frames may be on it, so it isn't deleted without being told to.
//
// A running daemon holds the queues of these devices; nothing here opens one that is there, rtnetlink alone asks and changes.
//
// An address of the configuration is added, and none is taken away: others may have given the device more. Set-up only, any one thread.

using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Ports;

namespace VtepDataPlane.Linux.Tap;

/// <summary>What became of one device.</summary>
/// <param name="Sentence">For the operator, on one line.</param>
/// <param name="IsError">It isn't as it must be.</param>
internal readonly record struct TapOutcome(string Sentence, bool IsError);

/// <summary>The TAP devices of a configuration, made for a user.</summary>
/// <param name="owner">The user's id.</param>
/// <param name="user">What the operator calls the user.</param>
internal sealed class TapSetup(uint owner, string user) : IDisposable
{
    private const string Bridge = "bridge";

    private readonly RtNetlink _netlink = new();

    /// <summary>The id of a user, by name or as a number; null when there is none.</summary>
    public static uint? FindUser(string user) => uint.TryParse(user, out uint id) ? id : UnixAccounts.FindUser(user);

    /// <summary>Makes, or sets right, every device; one that fails doesn't keep the others from being made.</summary>
    public IEnumerable<TapOutcome> Make(VtepConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        TapSettings settings = TapSettings.For(config.BridgeDomains.Sum(domain => domain.Ports.Count));
        foreach (BridgeDomainConfig domain in config.BridgeDomains)
        {
            TapMtu derived = domain.Ports.Any(port => port.Mtu is null) ? TapMtu.Of(domain, config.Underlay, _netlink) : default;
            foreach (PortConfig port in domain.Ports)
                yield return Try(port.Tap, () => Make(port, port.Mtu is { } mtu ? TapMtu.Configured(mtu) : derived, settings));
        }
    }

    /// <summary>Deletes the user's devices of these names, or, with null, all of the user's.</summary>
    public IEnumerable<TapOutcome> Remove(IEnumerable<string>? names)
    {
        foreach (string name in names ?? [.. _netlink.GetLinks().Where(IsOurs).Select(link => link.Name)])
            yield return Try(name, () => Remove(name));
    }

    /// <inheritdoc/>
    public void Dispose() => _netlink.Dispose();

    private static TapOutcome Try(string name, Func<string> act)
    {
        try
        {
            return new TapOutcome($"{name}: {act()}", IsError: false);
        }
        catch (VtepException refused)
        {
            return new TapOutcome(refused.Message, IsError: true);
        }
    }

    private string Make(PortConfig port, TapMtu mtu, TapSettings settings)
    {
        LinkInfo? bridge = FindBridge(port);
        LinkInfo? found = _netlink.GetLink(port.Tap);
        if (found is not null)
            CheckKind(found, settings);
        else
            TapDevice.Make(port.Tap, settings.IsMultiQueue, owner);
        LinkInfo link = found ?? _netlink.GetLink(port.Tap)
            ?? throw new VtepException($"Port '{port.Tap}': the device was deleted while it was being set up. Run it again.");
        try
        {
            if (found is null)
                SetUpNew(port, link, settings);
            List<string> changes = SetRight(port, link, mtu.Mtu ?? (found is null ? mtu.Assumed : null), bridge, settings);
            return Describe(found is not null, changes, _netlink.GetLink(link.Index)?.Mtu ?? 0, mtu.Note);
        }
        catch (VtepException) when (found is null)
        {
            _ = _netlink.DeleteLink(link.Index); // nothing is left half made
            throw;
        }
    }

    private string Describe(bool wasThere, List<string> changes, int mtu, string? note)
    {
        string done = !wasThere ? $"made for {user}" : changes.Count > 0 ? $"changed: {string.Join(", ", changes)}" : "right already";
        return $"{done}; MTU {mtu}{(note is null ? "" : $", {note}")}";
    }

    // The daemon sets up devices it makes itself in the same way.
    private void SetUpNew(PortConfig port, LinkInfo link, TapSettings settings)
    {
        bool hasIPv6 = settings.HasIPv6 || port.Addresses.Any(address => address.Address.IsIPv6);
        Require(port, _netlink.SetNoQueue(link.Index), "its queueing discipline can't be set");
        Require(port, _netlink.SetLink(link.Index, new LinkChange { TxQueueLength = settings.TxQueueLength, NoAutomaticIPv6Address = !hasIPv6 }),
            "its queue length can't be set");
    }

    /// <summary>Changes what differs; gives a few words on each.</summary>
    private List<string> SetRight(PortConfig port, LinkInfo link, int? mtu, LinkInfo? bridge, TapSettings settings)
    {
        var changes = new List<string>();
        if (port.Mac is { } mac && mac != link.Mac)
            Change(port, link, new LinkChange { Mac = mac }, $"MAC {link.Mac} to {mac}", changes);
        if (mtu is { } bytes && bytes != link.Mtu)
            Change(port, link, new LinkChange { Mtu = bytes }, $"MTU {link.Mtu} to {bytes}", changes);
        if (bridge is not null && bridge.Index != link.Master)
            Change(port, link, new LinkChange { Master = bridge.Index }, $"attached to {bridge.Name}", changes);
        LimitSuperFrames(link, mtu ?? link.Mtu, bridge?.Index ?? link.Master, settings);
        AddAddresses(port, link, changes);
        if (!link.IsUp)
            Change(port, link, new LinkChange { Up = true }, "up", changes);
        return changes;
    }

    private void Change(PortConfig port, LinkInfo link, in LinkChange change, string what, List<string> changes)
    {
        Require(port, _netlink.SetLink(link.Index, change), $"it can't be changed ({what})");
        changes.Add(what);
    }

    // A daemon without rights can't do this one later: see GsoLimits. Where the kernel refuses, frames are cut into two sends.
    private void LimitSuperFrames(LinkInfo link, int mtu, int master, TapSettings settings)
    {
        GsoLimits wanted = GsoLimits.For(mtu);
        if (settings.LimitsSuperFrames && master == 0 && !GsoLimits.IsRouter() && wanted != new GsoLimits(link.GsoMaxSegments, link.GsoMaxSize))
            _ = _netlink.SetLink(link.Index, new LinkChange { GsoMaxSegments = wanted.MaxSegments, GsoMaxSize = wanted.MaxSize });
    }

    private void AddAddresses(PortConfig port, LinkInfo link, List<string> changes)
    {
        if (port.Addresses.Count == 0)
            return;
        HashSet<InterfaceAddress> there =
        [
            .. _netlink.GetAddresses().Where(a => a.Index == link.Index).Select(a => new InterfaceAddress(a.Address, a.PrefixLength)),
        ];
        foreach (InterfaceAddress address in port.Addresses.Where(address => !there.Contains(address)))
        {
            Require(port, _netlink.AddAddress(link.Index, address), $"it can't be given the address {address}");
            changes.Add($"address {address}");
        }
    }

    private LinkInfo? FindBridge(PortConfig port)
    {
        if (port.Bridge is not { } name)
            return null;
        LinkInfo bridge = _netlink.GetLink(name) ?? throw new VtepException(
            $"Port '{port.Tap}': there is no bridge '{name}' to attach it to. Make it ('ip link add {name} type bridge'), or remove \"bridge\".");
        return bridge.Kind == Bridge
            ? bridge
            : throw new VtepException($"Port '{port.Tap}': '{name}' is an interface of kind '{bridge.Kind ?? "hardware"}', not a bridge. Correct \"bridge\".");
    }

    private void CheckKind(LinkInfo link, TapSettings settings)
    {
        if (link.Tun is not { IsTap: true } tap)
        {
            string kind = link.Tun is null ? link.Kind ?? "hardware" : "tun";
            throw new VtepException(
                $"Port '{link.Name}': '{link.Name}' is an interface of kind '{kind}', not a TAP device. Choose another name, or remove that interface.");
        }

        string remedy = $"Let go of it and delete it ('ip link del {link.Name}'); this command then makes it anew.";
        if (tap.Owner != owner)
            throw new VtepException($"Port '{link.Name}': the TAP device belongs to {Owner(tap)}, not to {user} (user id {owner}). {remedy}");
        if (!tap.IsPersistent)
            throw new VtepException($"Port '{link.Name}': the TAP device goes with the process that has made it. {remedy}");
        if (settings.IsMultiQueue && !tap.IsMultiQueue)
            throw new VtepException($"Port '{link.Name}': the TAP device has a single queue, so one worker alone would serve it. {remedy}");
    }

    private static string Owner(TunInfo tap) => tap.Owner is { } id ? $"user id {id}" : "no user";

    private bool IsOurs(LinkInfo link) => link.Tun is { IsTap: true, IsPersistent: true } tap && tap.Owner == owner;

    private string Remove(string name)
    {
        if (_netlink.GetLink(name) is not { } link)
            return "isn't there";
        if (!IsOurs(link))
            return $"left alone: it is no TAP device of {user}";
        int error = _netlink.DeleteLink(link.Index);
        return error == 0
            ? "removed"
            : throw new VtepException($"Port '{name}' can't be removed: {_netlink.Explain(error)}. Removing devices needs CAP_NET_ADMIN: run it as root.");
    }

    private void Require(PortConfig port, int error, string what)
    {
        if (error < 0)
            throw new VtepException($"Port '{port.Tap}': {what}: {_netlink.Explain(error)}. Run it as root, and correct the configuration of the port.");
    }
}
