// The text of a directory file, read as strictly as the configuration: every mistake with line, column and path, and no records at all
// while there is one. What must hold of any record (unicast addresses, one claim for each key) is checked here, because the file is the
// operator's and a mistake in it wants correcting; what depends on this node (VNIs served, VTEPs allowed) is for whoever takes the records.
//
//   { "version": 1, "generation": 7,
//     "nodes": [ { "node": "h2", "name": "rack 2", "vtep": "198.18.0.2" | "vteps": [ v4, v6 ], "vnis": [ 100 ],
//                  "stations": [ { "vni": 100, "mac": "02:..", "ips": [ "198.19.0.2" ], "seq": 0, "sticky": false, "router": false } ],
//                  "prefixes": [ { "vrf": 5000, "prefix": "198.19.8.0/24", "rmac": "02:.." } ] } ] }

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>What a directory file says.</summary>
/// <param name="Generation">The number its writer gave it; null: none.</param>
/// <param name="Records">Its records; none if there are problems.</param>
/// <param name="Problems">Every mistake, in the file's order.</param>
internal sealed record DirectoryFileContent(int? Generation, IReadOnlyList<DirectoryRecord> Records, IReadOnlyList<ConfigProblem> Problems);

/// <summary>Reads the text of directory files.</summary>
internal sealed class DirectoryFile
{
    private const string Empty = "the file is empty; write at least { \"version\": 1, \"nodes\": [] }";

    private static readonly ConfigRange s_version = new(1, 1);
    private static readonly ConfigRange s_number = new(0, int.MaxValue);

    private readonly ConfigProblems _problems;
    private readonly ushort _defaultPort;
    private readonly List<DirectoryRecord> _records = [];
    private readonly HashSet<RecordKey> _seen = [];

    private DirectoryFile(ConfigProblems problems, ushort defaultPort)
    {
        _problems = problems;
        _defaultPort = defaultPort;
    }

    /// <summary>Reads and checks a text; never throws for what is in it.</summary>
    /// <param name="path">The file's name, for complaints.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="defaultPort">The UDP port of VTEPs that are written without one.</param>
    public static DirectoryFileContent Parse(string path, ReadOnlyMemory<byte> bytes, ushort defaultPort)
    {
        string file = VtepConfigRules.Escape(path);
        var text = new ConfigText(bytes, Empty);
        if (text.Parse(out ConfigSyntaxError error) is not { } root)
            return new DirectoryFileContent(null, [], [new ConfigProblem(file, error.Line, error.Column, null, error.Message)]);
        var problems = new ConfigProblems(file, text);
        var reader = new DirectoryFile(problems, defaultPort);
        int? generation = reader.ReadRoot(root);
        IReadOnlyList<ConfigProblem> found = problems.InOrder();
        return new DirectoryFileContent(generation, found.Count == 0 ? reader._records : [], found);
    }

    private int? ReadRoot(ConfigNode root)
    {
        if (ConfigObject.Open(root, _problems, "version", "generation", "nodes") is not { } top)
            return null;
        _problems.Integer(top.Required("version", "1"), s_version, 1);
        ConfigNode? generation = top.Optional("generation");
        foreach (ConfigNode node in _problems.List(top.Required("nodes", "[ ... ]"), "{ \"node\": ... }"))
            ReadNode(node);
        return generation is null ? null : _problems.Integer(generation, s_number, 0);
    }

    private void ReadNode(ConfigNode node)
    {
        if (ConfigObject.Open(node, _problems, "node", "name", "vtep", "vteps", "vnis", "stations", "prefixes") is not { } opened)
            return;
        string owner = ReadOwner(opened.Required("node", "\"h2\""), node);
        (VtepEndpoint v4, VtepEndpoint v6) = ReadVteps(node, opened);
        Add(node, new VtepRecord(owner, v4, v6) { Name = ReadName(opened.Optional("name")) });
        foreach (ConfigNode vni in _problems.List(opened.Optional("vnis"), "100"))
            Add(vni, new FloodRecord(owner, ReadVni(vni)));
        foreach (ConfigNode station in _problems.List(opened.Optional("stations"), "{ \"vni\": 100, \"mac\": ... }"))
            ReadStation(station, owner);
        foreach (ConfigNode prefix in _problems.List(opened.Optional("prefixes"), "{ \"vrf\": 5000, \"prefix\": ... }"))
            ReadPrefix(prefix, owner);
    }

    // An owner that can't be read gets a name no other has, so that its stations aren't taken for another's.
    private string ReadOwner(ConfigNode? node, ConfigNode parent)
    {
        if (_problems.Text(node, "h2") is not { } id)
            return parent.Path;
        if (VtepConfigRules.NodeProblem(id) is not { } wrong)
            return id;
        _problems.Add(node!, wrong);
        return parent.Path;
    }

    private string? ReadName(ConfigNode? node)
    {
        string? name = _problems.Text(node, "rack 2");
        if (name is null || (name.Length <= VtepConfigRules.MaxNameLength && VtepConfigRules.Escape(name) == name))
            return name;
        _problems.Add(node!, $"{VtepConfigRules.Quote(name)} is no name; use at most {VtepConfigRules.MaxNameLength} characters that can be printed");
        return null;
    }

    private (VtepEndpoint IPv4, VtepEndpoint IPv6) ReadVteps(ConfigNode node, ConfigObject opened)
    {
        ConfigNode? one = opened.Optional("vtep");
        ConfigNode? several = opened.Optional("vteps");
        if (one is null == several is null && !opened.HasUnknownKeys)
            _problems.Add(node, "exactly one of \"vtep\" and \"vteps\" must be there; say where the node's VTEP is");
        VtepEndpoint v4 = default;
        VtepEndpoint v6 = default;
        IEnumerable<ConfigNode> all = one is null ? _problems.List(several, "\"198.18.0.2\"") : [one];
        foreach (ConfigNode text in all)
        {
            VtepEndpoint endpoint = ReadVtep(text);
            bool isTwice = endpoint.Address.IsIPv4 ? !v4.Address.IsNone : endpoint.Address.IsIPv6 && !v6.Address.IsNone;
            if (isTwice)
                _problems.Add(text, $"{endpoint} is a second one of IPv{endpoint.Address.Version}; give one for each address family");
            else if (endpoint.Address.IsIPv4)
                v4 = endpoint;
            else
                v6 = endpoint.Address.IsNone ? v6 : endpoint;
        }

        return (v4, v6);
    }

    private VtepEndpoint ReadVtep(ConfigNode node)
    {
        VtepEndpoint endpoint = _problems.Endpoint(node, _defaultPort);
        return endpoint.Address.IsNone || IsHost(endpoint.Address, node, "198.18.0.2") ? endpoint : default;
    }

    private Vni ReadVni(ConfigNode? node) => new(_problems.Integer(node, VtepConfigRules.VniRange, 0));

    private void ReadStation(ConfigNode node, string owner)
    {
        if (ConfigObject.Open(node, _problems, "vni", "mac", "ips", "seq", "sticky", "router") is not { } station)
            return;
        Vni vni = ReadVni(station.Required("vni", "100"));
        ConfigNode? mac = station.Required("mac", "\"02:00:5e:10:00:01\"");
        uint sequence = (uint)_problems.Integer(station.Optional("seq"), s_number, 0);
        bool isSticky = _problems.Boolean(station.Optional("sticky"), false);
        bool isRouter = _problems.Boolean(station.Optional("router"), false);
        MacAddress address = ReadMac(mac);
        if (!address.IsZero)
            Add(mac!, new MacRecord(owner, vni, address, sequence, isSticky));
        foreach (ConfigNode ip in _problems.List(station.Optional("ips"), "\"198.19.0.2\""))
        {
            InetAddress host = _problems.Address(ip, "198.19.0.2") ?? default;
            if (!host.IsNone && IsHost(host, ip, "198.19.0.2"))
                Add(ip, new NeighborRecord(owner, vni, host, address, sequence, isRouter));
        }
    }

    private void ReadPrefix(ConfigNode node, string owner)
    {
        if (ConfigObject.Open(node, _problems, "vrf", "prefix", "rmac") is not { } route)
            return;
        Vni vrf = ReadVni(route.Required("vrf", "5000"));
        ConfigNode? text = route.Required("prefix", "\"198.19.8.0/24\"");
        MacAddress mac = ReadMac(route.Optional("rmac"));
        if (text is null || _problems.Prefix(text, "198.19.8.0/24") is not { Network.IsNone: false } prefix)
            return;
        Add(text, new PrefixRecord(owner, vrf, prefix.Network, prefix.Length, mac));
    }

    private MacAddress ReadMac(ConfigNode? node)
    {
        if (node is null || _problems.Mac(node) is not { } mac || _problems.BadPaths.Contains(node.Path))
            return MacAddress.Zero;
        if (mac.IsValidSource)
            return mac;
        _problems.Add(node, $"{mac} is no station's address; use a unicast one, like 02:00:5e:10:00:01");
        return MacAddress.Zero;
    }

    private bool IsHost(InetAddress address, ConfigNode node, string example)
    {
        bool ok = address is { IsUnicast: true, IsLoopback: false };
        if (!ok)
            _problems.Add(node, $"{address} is not a host's address; give a unicast address, like {example}");
        return ok;
    }

    private void Add(ConfigNode node, DirectoryRecord record)
    {
        if (_seen.Add(record.Key))
            _records.Add(record);
        else if (!_problems.BadPaths.Contains(node.Path))
            _problems.Add(node, record is VtepRecord ? $"the node {VtepConfigRules.Quote(record.Owner)} is there twice; keep one"
                : "the node has this one already; remove one of the two");
    }
}
