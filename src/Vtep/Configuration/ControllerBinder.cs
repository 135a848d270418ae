// The "controllers" of the file: an object of names, each with exactly one kind of source. A controller that can't be read is still known
// by its name, so that domains which name it aren't complained about as well.

using VtepDataPlane.Etcd;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Binds <c>controllers</c>.</summary>
internal sealed class ControllerBinder(ConfigProblems problems)
{
    private const string EndpointExample = "http://198.18.0.100:2379";
    private const string PrefixExample = "/vtep/v1/lab";

    private static readonly string[] s_etcdKeys =
    [
        "endpoints", "prefix", "node", "leaseSeconds", "user", "passwordFile", "tls", "cache", "allowedVteps", "keepOnStop",
    ];

    private readonly List<ControllerConfig> _configs = [];
    private readonly List<ControllerSource> _sources = [];
    private string? _machineNode;

    /// <summary>The controllers, in the file's order.</summary>
    public IReadOnlyList<ControllerConfig> Configs => _configs;

    /// <summary>What they are read from; those that could be understood.</summary>
    public IReadOnlyList<ControllerSource> Sources => _sources;

    /// <summary><see cref="EtcdOptions.LeaseSeconds"/>.</summary>
    public static ConfigRange LeaseSeconds => new(5, 86_400);

    public void Bind(ConfigNode? node)
    {
        if (node is null)
            return;
        string[] names = [.. node.Children.Select(child => child.Key ?? "").Distinct()];
        if (ConfigObject.Open(node, problems, [.. names.DefaultIfEmpty("main")]) is null)
            return;
        foreach (ConfigNode child in node.Children.DistinctBy(child => child.Key))
            BindOne(child);
    }

    private void BindOne(ConfigNode node)
    {
        string name = node.Key!;
        if (VtepConfigRules.ControllerNameProblem(name) is { } wrong)
        {
            problems.AddKey(node, wrong);
            problems.MarkBad("$.controllers");
            return;
        }

        ControllerSource? source = BindSource(node, name);
        _configs.Add(source?.Config ?? new ControllerConfig { Name = name, Node = "unknown" });
        if (source is not null)
            _sources.Add(source);
    }

    private ControllerSource? BindSource(ConfigNode node, string name)
    {
        if (ConfigObject.Open(node, problems, "etcd", "file") is not { } kinds)
            return null;
        ConfigNode? etcd = node.Member("etcd");
        ConfigNode? file = node.Member("file");
        if (etcd is null == file is null && !kinds.HasUnknownKeys)
            problems.Add(node, "exactly one kind of controller must be there; write \"etcd\" or \"file\"");

        // Both are read also when only one may be there: what is wrong inside them is wrong anyway.
        ControllerSource? source = etcd is null ? null : BindEtcd(etcd, name);
        return file is null ? source : BindFile(file, name);
    }

    private EtcdSource? BindEtcd(ConfigNode node, string name)
    {
        if (ConfigObject.Open(node, problems, s_etcdKeys) is not { } etcd)
            return null;
        ControllerConfig config = BindConfig(node, etcd, name);
        ConfigNode? endpoints = etcd.Required("endpoints", $"[ \"{EndpointExample}\" ]");
        EtcdOptions options = BindTls(etcd.Optional("tls"), new EtcdOptions
        {
            Endpoints = BindEndpoints(endpoints),
            Prefix = BindPrefix(etcd.Required("prefix", $"\"{PrefixExample}\"")),
            Node = config.Node,
            LeaseSeconds = problems.Integer(etcd.Optional("leaseSeconds"), LeaseSeconds, 3600),
            User = problems.Text(etcd.Optional("user"), "h1"),
            PasswordFile = problems.FilePath(etcd.Optional("passwordFile"), "/etc/vtep/etcd-password"),
            CacheFile = BindCache(node, name),
            KeepOnStop = problems.Boolean(etcd.Optional("keepOnStop"), false),
        });
        CheckLogin(node, etcd);
        if (etcd.Optional("tls") is not null && endpoints is not null)
            CheckEncrypted(endpoints);
        return new EtcdSource(config, options);
    }

    private FileSource? BindFile(ConfigNode node, string name)
    {
        if (ConfigObject.Open(node, problems, "path", "node", "allowedVteps") is not { } file)
            return null;
        string path = problems.FilePath(file.Required("path", "\"/etc/vtep/directory.json\""), "/etc/vtep/directory.json") ?? "";
        return new FileSource(BindConfig(node, file, name), path);
    }

    private ControllerConfig BindConfig(ConfigNode node, ConfigObject source, string name) => new()
    {
        Name = name,
        Node = BindNode(node, source.Optional("node")),
        AllowedVteps = [.. problems.List(source.Optional("allowedVteps"), "\"198.18.0.0/15\"").Select(prefix => problems.Prefix(prefix, "198.18.0.0/15"))],
    };

    private string BindNode(ConfigNode parent, ConfigNode? node)
    {
        const string Placeholder = "unknown";
        if (node is null)
        {
            _machineNode ??= MachineNode.OfThisMachine();
            if (_machineNode is null && !problems.BadPaths.Contains(parent.PathOf("node")))
                problems.AddMissing(parent, "node", "this machine has no /etc/machine-id to make a node id of; add \"node\": \"h1\", or run systemd-machine-id-setup");
            return _machineNode ?? Placeholder;
        }

        string id = problems.Text(node, "h1") ?? Placeholder;
        if (VtepConfigRules.NodeProblem(id) is not { } wrong)
            return id;
        problems.Add(node, wrong);
        return Placeholder;
    }

    private Uri[] BindEndpoints(ConfigNode? node)
    {
        IReadOnlyList<ConfigNode> list = problems.List(node, $"\"{EndpointExample}\"");
        if (node is not null && list.Count == 0 && !problems.BadPaths.Contains(node.Path))
            problems.Add(node, $"the list is empty; name at least one member of the cluster, like \"{EndpointExample}\"");
        var seen = new Dictionary<Uri, ConfigNode>();
        foreach (ConfigNode endpoint in list)
        {
            if (BindEndpoint(endpoint) is { } uri && !seen.TryAdd(uri, endpoint))
                problems.Add(endpoint, $"the endpoint {VtepConfigRules.Quote(endpoint.Text)} is already at {seen[uri].Path}; each may be there once");
        }

        return [.. seen.Keys];
    }

    private Uri? BindEndpoint(ConfigNode node)
    {
        if (problems.Text(node, EndpointExample) is not { } text)
            return null;
        // What stands before an @ may be a password: it isn't repeated.
        string? wrong = text.Contains('@') ? "an endpoint names no user; write \"user\" and \"passwordFile\" beside \"endpoints\""
            : IsEndpoint(text, out Uri? uri) ? null
            : $"{VtepConfigRules.Quote(text)} is no endpoint; write http:// or https://, a host and a port, like {EndpointExample}";
        if (wrong is null)
            return new Uri(text);
        problems.Add(node, wrong);
        return null;
    }

    private static bool IsEndpoint(string text, out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
        && uri.Port is > 0 and <= ushort.MaxValue && uri.PathAndQuery == "/" && uri.Fragment.Length == 0;

    private string BindPrefix(ConfigNode? node)
    {
        const int Longest = 256;
        string prefix = problems.Text(node, PrefixExample) ?? "";
        bool ok = prefix.Length is > 1 and <= Longest && prefix[0] == '/' && prefix[^1] != '/' && !prefix.Contains("//", StringComparison.Ordinal)
            && prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_');
        if (!ok && node is { Kind: System.Text.Json.JsonValueKind.String })
            problems.Add(node, $"{VtepConfigRules.Quote(prefix)} is no prefix of keys; write a path of letters, digits, '.', '-' and '_' "
                + $"with a slash at its beginning and none at its end, like {PrefixExample}");
        return prefix;
    }

    private EtcdOptions BindTls(ConfigNode? node, EtcdOptions options)
    {
        if (node is null || ConfigObject.Open(node, problems, "ca", "certificate", "key") is not { } tls)
            return options;
        ConfigNode? certificate = tls.Optional("certificate");
        ConfigNode? key = tls.Optional("key");
        if (certificate is null != key is null && !tls.HasUnknownKeys)
            problems.Add(node, "\"certificate\" and \"key\" belong together; add the missing one, or remove the other");
        return options with
        {
            CaFile = problems.FilePath(tls.Optional("ca"), "/etc/vtep/ca.pem"),
            CertificateFile = problems.FilePath(certificate, "/etc/vtep/h1.pem"),
            KeyFile = problems.FilePath(key, "/etc/vtep/h1.key"),
        };
    }

    private string? BindCache(ConfigNode node, string name)
    {
        string fallback = $"/var/lib/vtep/{name}.cache";
        return node.Member("cache") is not { } cache ? fallback
            : cache.Kind == System.Text.Json.JsonValueKind.Null ? null
            : problems.FilePath(cache, fallback);
    }

    private void CheckLogin(ConfigNode node, ConfigObject etcd)
    {
        if (etcd.HasUnknownKeys)
            return;
        bool hasUser = etcd.Optional("user") is not null;
        if (hasUser == etcd.Optional("passwordFile") is not null)
            return;
        problems.Add(node, hasUser ? "\"user\" is there without \"passwordFile\"; add the file that holds the password"
            : "\"passwordFile\" is there without \"user\"; add the user's name");
    }

    private void CheckEncrypted(ConfigNode endpoints)
    {
        foreach (ConfigNode endpoint in endpoints.Children.Where(child => child.Text.StartsWith("http:", StringComparison.OrdinalIgnoreCase)))
            problems.Add(endpoint, "\"tls\" is there, but this endpoint is not encrypted; write https://");
    }
}
