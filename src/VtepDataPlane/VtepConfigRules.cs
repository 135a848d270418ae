// What a valid VtepConfig is, beyond what its types say: ranges, names the kernel takes, uniqueness, one address family, peers
// that are other hosts. The rules read values only: whether a device or an address exists on this machine is found out by
// whoever opens it. All violations are reported, not the first, each with the path of the element, spelled as in the
// configuration file ($.bridgeDomains[1].ports[0].tap), so that a loader can name line and column and an embedding program can
// show it as it is.
//
// A loader that has already complained about an element (a MAC that can't be parsed) passes its path as known bad; the value
// standing there is a placeholder and takes part in no rule.
//
// Pure functions; any thread. Cost: linear in the number of elements, 10,000 domains take milliseconds.

using System.Globalization;
using System.Text;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>The rules of a valid <see cref="VtepConfig"/>. Any thread.</summary>
public sealed partial class VtepConfigRules
{
    /// <summary>Domains a VTEP may have.</summary>
    internal const int MaxDomains = 65_535;

    /// <summary>Peers a domain may have.</summary>
    internal const int MaxPeersPerDomain = 4096;

    /// <summary>VTEPs a configuration may name, all domains together, each counted once.</summary>
    internal const int MaxVteps = 16_384;

    /// <summary>Characters of a domain's name.</summary>
    internal const int MaxNameLength = 128;

    /// <summary>Bytes of an interface's name (IFNAMSIZ - 1).</summary>
    internal const int MaxInterfaceName = 15;

    /// <summary>The smallest MTU IPv6 works over (RFC 8200 section 5).</summary>
    internal const int MinIPv6Mtu = 1280;

    private readonly VtepConfig _config;
    private readonly IReadOnlySet<string> _knownBad;
    private readonly List<VtepConfigProblem> _problems = [];
    private readonly Dictionary<string, string> _pathByName = [];
    private readonly Dictionary<Vni, string> _pathByVni = [];
    private readonly Dictionary<string, string> _pathByTap = [];
    private string _familyFrom = "";
    private InetAddress _family;

    private VtepConfigRules(VtepConfig config, IReadOnlySet<string> knownBad)
    {
        _config = config;
        _knownBad = knownBad;
        _taps = [.. config.BridgeDomains.SelectMany(domain => domain.Ports).Select(port => port.Tap)];
    }

    /// <summary><see cref="VtepConfig.Workers"/>: a TAP device has at most 256 queues.</summary>
    internal static ConfigRange Workers => new(0, 256);

    /// <summary><see cref="VtepConfig.FdbCapacity"/>: up to 2 GiB of memory.</summary>
    internal static ConfigRange FdbCapacity => new(1, 1 << 26);

    /// <summary>A UDP port.</summary>
    internal static ConfigRange Port => new(1, ushort.MaxValue);

    /// <summary><see cref="UnderlayConfig.LearnedPeerLimit"/>.</summary>
    internal static ConfigRange LearnedPeerLimit => new(1, 65_536);

    /// <summary><see cref="UnderlayConfig.LearnedPeerAgeing"/>: up to a year.</summary>
    internal static ConfigRange LearnedPeerAgeing => new(1, 31_536_000);

    /// <summary>A VNI.</summary>
    internal static ConfigRange VniRange => new(0, Vni.MaxValue);

    /// <summary><see cref="BridgeDomainConfig.Ageing"/>: never, or up to a year.</summary>
    internal static ConfigRange Ageing => new(0, 31_536_000);

    /// <summary><see cref="BridgeDomainConfig.FdbLimit"/>.</summary>
    internal static ConfigRange FdbLimit => new(1, 1 << 26);

    /// <summary><see cref="PortConfig.Mtu"/>: from what IPv4 asks for (RFC 791) to what a datagram holds.</summary>
    internal static ConfigRange Mtu => new(68, MaxMtuOverIPv6);

    /// <summary>A TTL or hop limit.</summary>
    internal static ConfigRange Ttl => new(1, byte.MaxValue);

    /// <summary>A DSCP.</summary>
    internal static ConfigRange Dscp => new(0, 63);

    /// <summary>Throws with every violation, a line each.</summary>
    /// <exception cref="VtepException">The configuration is not valid.</exception>
    internal static void ThrowIfInvalid(VtepConfig config)
    {
        IReadOnlyList<VtepConfigProblem> problems = Check(config);
        if (problems.Count > 0)
            throw new VtepException("The configuration is not valid:" + string.Concat(problems.Select(problem => $"\n  {problem}")));
    }

    /// <summary>Every violation, in the order of the configuration; none: it is valid.</summary>
    /// <param name="config">The configuration; nothing of this machine is looked at.</param>
    public static IReadOnlyList<VtepConfigProblem> Check(VtepConfig config) => Check(config, new HashSet<string>());

    /// <summary>As <see cref="Check(VtepConfig)"/>, leaving out elements that are placeholders.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="knownBad">Paths of elements already complained about.</param>
    internal static IReadOnlyList<VtepConfigProblem> Check(VtepConfig config, IReadOnlySet<string> knownBad)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(knownBad);
        var rules = new VtepConfigRules(config, knownBad);
        rules.CheckWhole();
        rules.CheckUnderlay(config.Underlay);
        rules.CheckControllers();
        for (int i = 0; i < config.BridgeDomains.Count; i++)
            rules.CheckDomain(config.BridgeDomains[i], $"$.bridgeDomains[{i}]");
        return rules._problems;
    }

    /// <summary>Why <paramref name="name"/> can't be an interface's name (dev_valid_name in net/core/dev.c), or null when it can.</summary>
    internal static string? InterfaceNameProblem(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
            return "an interface's name is empty; give it 1 to 15 characters";
        int bytes = Encoding.UTF8.GetByteCount(name);
        if (bytes > MaxInterfaceName)
            return $"{Quote(name)} has {bytes} bytes; an interface's name has at most {MaxInterfaceName}";
        // The kernel takes % as the start of a pattern to number devices by.
        bool illegal = name is "." or ".." || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '/' or ':' or '%');
        return illegal ? $"{Quote(name)} is no interface name; leave out spaces, '/', ':' and '%'" : null;
    }

    /// <summary>Text from outside, fit for a terminal and a log: what can't be printed is written as <c>\u001b</c>.</summary>
    internal static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return text; // nearly always; a table may have a million cells
        var escaped = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            escaped.Append(IsPrintable(rune) ? rune.ToString() : $"\\u{rune.Value:x4}");
        return escaped.ToString();
    }

    /// <summary>As <see cref="Escape(string)"/>, at most <paramref name="longest"/> characters of it, the last of which are three dots when there was more.</summary>
    internal static string Escape(string text, int longest)
    {
        ArgumentNullException.ThrowIfNull(text);
        const string More = "...";
        string whole = Escape(text.Length > longest ? text[..(longest + 1)] : text);
        if (whole.Length <= longest)
            return whole;
        var cut = new StringBuilder(longest);
        foreach (Rune rune in text.EnumerateRunes())
        {
            string next = Escape(rune.ToString());
            if (cut.Length + next.Length > longest - More.Length)
                break;
            cut.Append(next);
        }

        return cut.Append(More).ToString();
    }

    /// <summary>As <see cref="Escape(string)"/>, cut at 64 characters, in single quotes.</summary>
    internal static string Quote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        const int Longest = 64;
        return text.Length > Longest ? $"'{Escape(text[..Longest])}...'" : $"'{Escape(text)}'";
    }

    // Besides control characters: format characters, which reverse or hide text (U+202E), and what ends a line.
    private static bool IsPrintable(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator);

    private void CheckWhole()
    {
        CheckRange(_config.Workers, Workers, "$.workers");
        CheckRange(_config.FdbCapacity, FdbCapacity, "$.fdb.capacity");
        int domains = _config.BridgeDomains.Count;
        if (domains > MaxDomains)
            Add("$.bridgeDomains", $"there are {domains} domains; a VTEP has at most {MaxDomains}");
        int vteps = _config.BridgeDomains.SelectMany(NamedVteps).Distinct().Take(MaxVteps + 1).Count();
        if (vteps > MaxVteps)
            Add("$.bridgeDomains", $"more than {MaxVteps} different peers are named; name fewer");
        long fixedEntries = _config.BridgeDomains.Sum(domain => (long)domain.Fdb.Count);
        if (fixedEntries > _config.FdbCapacity)
            Add("$.fdb.capacity", $"{fixedEntries} static entries don't fit into {_config.FdbCapacity}; raise it");
    }

    private static IEnumerable<VtepEndpoint> NamedVteps(BridgeDomainConfig domain) =>
        ((domain.Discovery as StaticDiscovery)?.Peers ?? []).Concat(domain.Fdb.Select(entry => entry.Vtep).OfType<VtepEndpoint>());

    private void CheckUnderlay(UnderlayConfig underlay)
    {
        CheckRange(underlay.Port, Port, "$.underlay.port");
        CheckRange(underlay.LearnedPeerLimit, LearnedPeerLimit, "$.underlay.learnedPeerLimit");
        CheckRange(underlay.LearnedPeerAgeing, LearnedPeerAgeing, "$.underlay.learnedPeerAgeing");
        bool hasLocal = underlay.Local is not null || IsBad("$.underlay.local");
        bool hasInterface = underlay.Interface is not null || IsBad("$.underlay.interface");
        if (hasLocal == hasInterface)
            Add("$.underlay",
                "exactly one of \"local\" and \"interface\" must be there; give this host's address or the interface that has it");
        if (underlay.Interface is { } name && InterfaceNameProblem(name) is { } why)
            Add("$.underlay.interface", why);
        else if (underlay.Interface is not null)
            CheckIsNoPort(underlay.Interface, "$.underlay.interface");
        if (underlay.Local is { } local && !IsBad("$.underlay.local") && CheckHostAddress(local, "$.underlay.local"))
            CheckFamily(local, "$.underlay.local");
    }

    private void CheckDomain(BridgeDomainConfig domain, string path)
    {
        CheckName(domain.Name, path + ".name");
        CheckUnique(_pathByVni, domain.Vni, path + ".vni", $"the VNI {domain.Vni}");
        CheckRange(domain.Ageing, Ageing, path + ".ageing");
        CheckRange(domain.FdbLimit, FdbLimit, path + ".fdbLimit");
        CheckEncapsulation(domain.Encapsulation, path);
        CheckPorts(domain, path + ".ports");
        CheckDiscovery(domain.Discovery, path + ".discovery");
        CheckFdb(domain, path + ".fdb");
    }

    private void CheckName(string name, string path)
    {
        if (name.Length == 0)
            Add(path, "the name is empty; give the domain a name");
        else if (name.Length > MaxNameLength)
            Add(path, $"the name has {name.Length} characters; it may have {MaxNameLength}");
        else if (!name.EnumerateRunes().All(IsPrintable))
            Add(path, $"{Quote(name)} has characters that can't be printed; leave them out");
        else
            CheckUnique(_pathByName, name, path, $"the name {Quote(name)}");
    }

    private void CheckEncapsulation(EncapsulationPolicy policy, string path)
    {
        if (policy.Ttl is { } ttl)
            CheckRange(ttl, Ttl, path + ".ttl");
        if (policy.Dscp is { } dscp)
            CheckRange(dscp, Dscp, path + ".dscp");
        CheckDefined(policy.DontFragment, path + ".df");
        CheckDefined(policy.Ecn, path + ".ecn");
        CheckDefined(policy.ReservedBits, path + ".reservedBits");
        CheckDefined(policy.InnerVlan, path + ".innerVlan");
    }

    private void CheckDiscovery(DiscoveryConfig discovery, string path)
    {
        if (IsBad(path))
            return;
        if (discovery is StaticDiscovery fixedPeers)
            CheckPeers(fixedPeers.Peers, path + ".static.peers");
        else if (discovery is MulticastDiscovery multicast)
            CheckGroup(multicast, path + ".multicast");
        else if (discovery is ControllerDiscovery controller)
            CheckControllerDiscovery(controller, path + ".controller");
        else
            Add(path, "this kind of discovery is not known; use static, multicast or controller");
    }

    private void CheckPeers(IReadOnlyList<VtepEndpoint> peers, string path)
    {
        if (peers.Count > MaxPeersPerDomain)
            Add(path, $"there are {peers.Count} peers; a domain has at most {MaxPeersPerDomain}");
        var seen = new Dictionary<InetAddress, string>(peers.Count);
        for (int i = 0; i < peers.Count; i++)
        {
            string peer = $"{path}[{i}]";
            if (CheckRemote(peers[i], peer))
                CheckUnique(seen, peers[i].Address, peer, $"the peer {peers[i].Address}");
        }
    }

    private void CheckGroup(MulticastDiscovery multicast, string path)
    {
        (InetAddress group, string name) = multicast.Group;
        string groupPath = path + ".group";
        if (InterfaceNameProblem(name) is { } why)
            Add(path + ".interface", why);
        else
            CheckIsNoPort(name, path + ".interface");
        CheckRange(multicast.Ttl, Ttl, path + ".ttl");
        if (IsBad(groupPath))
            return;
        if (!group.IsMulticast)
            Add(groupPath, $"{group} is no multicast group; use one of 224.0.0.0/4, like 239.1.1.200, or of ff00::/8");
        else
            CheckFamily(group, groupPath);
    }

    private void CheckFdb(BridgeDomainConfig domain, string path)
    {
        var seen = new Dictionary<MacAddress, string>(domain.Fdb.Count);
        for (int i = 0; i < domain.Fdb.Count; i++)
        {
            (MacAddress mac, VtepEndpoint? vtep, string? port) = domain.Fdb[i];
            string entry = $"{path}[{i}]";
            if (!mac.IsValidSource)
                Add(entry + ".mac", $"{mac} is no station's address; use a unicast one, like 02:00:5e:10:00:01");
            else
                CheckUnique(seen, mac, entry + ".mac", $"an entry for {mac}");
            if (vtep is null == port is null)
                Add(entry, "exactly one of \"vtep\" and \"port\" must be there; say where the station is");
            if (vtep is { } remote)
                CheckRemote(remote, entry + ".vtep");
            if (port is not null && domain.Ports.All(candidate => candidate.Tap != port))
                Add(entry + ".port", $"the domain has no port {Quote(port)}; name one of its TAP devices");
        }
    }

    // Another VTEP: a unicast address, not ours, of the underlay's family, with a port.
    private bool CheckRemote(VtepEndpoint remote, string path)
    {
        if (IsBad(path) || !CheckHostAddress(remote.Address, path) || !CheckFamily(remote.Address, path))
            return false;
        CheckRange(remote.Port, Port, path);
        bool ours = remote.Address == _config.Underlay.Local;
        if (ours)
            Add(path, $"{remote.Address} is this VTEP's own address; list the other ones only");
        return !ours;
    }

    private bool CheckHostAddress(InetAddress address, string path)
    {
        if (!address.IsUnicast)
            Add(path, $"{address} is not a host's address; give a unicast address, like 198.18.0.1");
        else if (address is { IsIPv6: true, IsLinkLocal: true })
            Add(path, $"{address} is link-local and means nothing without an interface; use a global or unique local address");
        else
            return true;
        return false;
    }

    // One socket has one family. The first address says which, as a rule underlay.local.
    private bool CheckFamily(InetAddress address, string path)
    {
        if (_family.IsNone)
            (_family, _familyFrom) = (address, path);
        if (_family.Version == address.Version)
            return true;
        string first = $"{_family} ({_familyFrom}) is IPv{_family.Version}";
        Add(path, $"{address} is IPv{address.Version}, but {first}; the underlay has one address family");
        return false;
    }

    private void CheckUnique<T>(Dictionary<T, string> seen, T value, string path, string what)
        where T : notnull
    {
        if (!IsBad(path) && !seen.TryAdd(value, path))
            Add(path, $"{what} is already at {seen[value]}; each may be there once");
    }

    private void CheckRange(int value, ConfigRange range, string path)
    {
        if (!range.Contains(value))
            Add(path, range.Complaint(value.ToString(CultureInfo.InvariantCulture)));
    }

    private void CheckDefined<T>(T value, string path)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            Add(path, $"{value} is no {typeof(T).Name}; use a named value");
    }

    private bool IsBad(string path) => _knownBad.Count > 0 && _knownBad.Contains(path);

    private void Add(string path, string message)
    {
        if (!IsBad(path))
            _problems.Add(new VtepConfigProblem(path, message));
    }
}
