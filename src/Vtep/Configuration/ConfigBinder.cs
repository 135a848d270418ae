// From the tree to a DaemonConfig, the keys of the top level, "control", "fdb" and "underlay"; domains are in DomainBinder, controllers
// in ControllerBinder.
// Written by hand: each key stands here once, with its reader. A value that is wrong is complained about and replaced by a
// placeholder, so that everything else still gets checked.

using System.Net;
using VtepDataPlane.Discovery;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Binds a whole file.</summary>
internal sealed class ConfigBinder(ConfigProblems problems)
{
    private const string SchemaExample = "file:///usr/share/vtep/vtep.schema.json";

    /// <summary>Binds the root. The result is a configuration only if there are no problems afterwards.</summary>
    public DaemonConfig? Bind(ConfigNode root)
    {
        if (ConfigObject.Open(root, problems, "workers", "control", "underlay", "fdb", "bridgeDomains", "controllers", "$schema") is not { } top)
            return null;
        problems.Text(top.Optional("$schema"), SchemaExample); // for editors
        UnderlayConfig underlay = BindUnderlay(top.Required("underlay", "{ \"local\": \"198.18.0.1\" }"));
        var controllers = new ControllerBinder(problems);
        controllers.Bind(top.Optional("controllers"));
        var domains = new DomainBinder(problems, underlay.Port);
        var vtep = new VtepConfig
        {
            Workers = problems.Integer(top.Optional("workers"), VtepConfigRules.Workers, 0),
            FdbCapacity = BindFdbCapacity(top.Optional("fdb")),
            Underlay = underlay,
            Controllers = controllers.Configs,
            BridgeDomains = [.. problems.List(top.Required("bridgeDomains", "[ ... ]"), "{ \"name\": ... }").Select(domains.Bind)],
        };
        DaemonConfig bound = BindControl(top.Optional("control"), new DaemonConfig(vtep, DaemonConfig.DefaultControlSocket) { Sources = controllers.Sources });
        CheckModes(root, vtep, controllers.Sources);
        CheckFiles(root, bound.ControlSocket, controllers.Sources);
        return bound;
    }

    private DaemonConfig BindControl(ConfigNode? node, DaemonConfig config)
    {
        if (node is null || ConfigObject.Open(node, problems, "socket", "http", "dashboard", "otlp") is not { } control)
            return config;
        ConfigNode? socket = control.Optional("socket");
        string path = problems.Text(socket, DaemonConfig.DefaultControlSocket) ?? DaemonConfig.DefaultControlSocket;
        if (DaemonConfig.SocketPathProblem(path) is { } why)
            problems.Add(socket!, why);
        IPEndPoint? http = problems.HttpAddress(control.Optional("http"));
        return config with
        {
            ControlSocket = path,
            Http = http,
            Dashboard = problems.Dashboard(control.Optional("dashboard"), control.Optional("http"), http),
            Otlp = problems.Collector(control.Optional("otlp")),
        };
    }

    // The core's rules know controllers, but not what they are read from.
    private void CheckModes(ConfigNode root, VtepConfig vtep, IReadOnlyList<ControllerSource> sources)
    {
        for (int i = 0; i < vtep.BridgeDomains.Count; i++)
        {
            bool looksUpInFile = vtep.BridgeDomains[i].Discovery is ControllerDiscovery { Mode: ControllerMode.Lookup } discovery
                && sources.OfType<FileSource>().Any(source => source.Config.Name == discovery.Controller);
            if (looksUpInFile)
                problems.Add(root, new VtepConfigProblem($"$.bridgeDomains[{i}].discovery.controller.mode",
                    "a file is known as a whole and can't be asked for single stations; write \"watch\""));
        }
    }

    // Each file that the daemon writes is written by one.
    private void CheckFiles(ConfigNode root, string socket, IReadOnlyList<ControllerSource> sources)
    {
        var writers = new Dictionary<string, string> { [socket] = "$.control.socket" };
        foreach (EtcdSource source in sources.OfType<EtcdSource>())
        {
            string path = $"$.controllers.{source.Config.Name}.etcd.cache";
            if (source.Options.CacheFile is { } cache && !problems.BadPaths.Contains(path) && !writers.TryAdd(cache, path))
                problems.Add(root, new VtepConfigProblem(path, $"the file {VtepConfigRules.Quote(cache)} is already at {writers[cache]}; give each its own"));
        }
    }

    private int BindFdbCapacity(ConfigNode? node)
    {
        int fallback = new VtepConfig { Underlay = new() }.FdbCapacity;
        return node is not null && ConfigObject.Open(node, problems, "capacity") is { } fdb
            ? problems.Integer(fdb.Optional("capacity"), VtepConfigRules.FdbCapacity, fallback) : fallback;
    }

    private UnderlayConfig BindUnderlay(ConfigNode? node)
    {
        var defaults = new UnderlayConfig();
        string[] keys = ["local", "interface", "port", "udpChecksum", "acceptZeroChecksumIPv6", "learnedPeerLimit", "learnedPeerAgeing"];
        if (node is null || ConfigObject.Open(node, problems, keys) is not { } underlay)
            return defaults;
        ConfigNode? device = underlay.Optional("interface");
        return new UnderlayConfig
        {
            Local = problems.Address(underlay.Optional("local"), "198.18.0.1"),
            Interface = device is null ? null : problems.Text(device, "eth0") ?? "",
            Port = (ushort)problems.Integer(underlay.Optional("port"), VtepConfigRules.Port, defaults.Port),
            UdpChecksum = problems.Boolean(underlay.Optional("udpChecksum"), defaults.UdpChecksum),
            AcceptZeroChecksumIPv6 = problems.Boolean(underlay.Optional("acceptZeroChecksumIPv6"), defaults.AcceptZeroChecksumIPv6),
            LearnedPeerLimit = problems.Integer(underlay.Optional("learnedPeerLimit"), VtepConfigRules.LearnedPeerLimit,
                defaults.LearnedPeerLimit),
            LearnedPeerAgeing = problems.Integer(underlay.Optional("learnedPeerAgeing"), VtepConfigRules.LearnedPeerAgeing,
                defaults.LearnedPeerAgeing),
        };
    }
}
