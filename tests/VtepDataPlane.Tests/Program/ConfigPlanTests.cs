// What a plan says, and that it is true: a real Vtep on an in-memory host is reloaded, and must have done just that.

using System.Text;
using System.Text.Json;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Network;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ConfigPlanTests
{
    private const string Now = """
        { "underlay": { "local": "198.18.0.1" },
          "controllers": { "main": { "etcd": { "endpoints": [ "http://e:2379" ], "prefix": "/v", "node": "h1" } } },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "a", "mtu": 1400 }, { "tap": "b" }, { "tap": "c" } ], "ageing": 300,
              "discovery": { "static": { "peers": [ "198.18.0.2", "198.18.0.3" ] } },
              "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.2" }, { "mac": "02:00:5e:10:00:02", "port": "b" } ] },
            { "name": "red", "vni": 200, "ports": [ { "tap": "r" } ], "discovery": { "static": { "peers": [ "198.18.0.2" ] } } },
            { "name": "gray", "vni": 300, "discovery": { "multicast": { "group": "239.1.1.1", "interface": "eth0" } } },
            { "name": "same", "vni": 400, "ports": [ { "tap": "s" } ], "discovery": { "static": { "peers": [] } } } ] }
        """;

    [Test]
    public void WhatChanges_IsSaid_WithWhatItMeansForTraffic() => AssertPlan("""
        { "underlay": { "local": "198.18.0.1" },
          "controllers": { "main": { "etcd": { "endpoints": [ "http://e:2379" ], "prefix": "/v", "node": "h1" } } },
          "bridgeDomains": [
            { "name": "same", "vni": 400, "ports": [ { "tap": "s" } ], "discovery": { "static": { "peers": [] } } },
            { "name": "blau", "vni": 100, "ports": [ { "tap": "a", "mtu": 1300, "bridge": "br0" }, { "tap": "n" } ], "ageing": 600, "ttl": "inherit",
              "discovery": { "static": { "peers": [ "198.18.0.4:8472", "198.18.0.2" ] } },
              "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.4" } ] },
            { "name": "green", "vni": 500, "ports": [ { "tap": "c" } ], "discovery": { "controller": { "name": "main" } } },
            { "name": "gray", "vni": 300, "discovery": { "multicast": { "group": "239.1.1.1", "interface": "eth0", "ttl": 3 } } } ] }
        """, """
        ~ domain blue (VNI 100): 3 of 3 ports close
            ~ name: blue -> blau
            ~ ageing: 300 -> 600
            ~ ttl: 64 -> inherit
            - port b (closes; the stations behind it are forgotten)
            - port c (moves to domain green; the stations behind it are forgotten)
            ~ port a: mtu 1400, no bridge -> mtu 1300, bridge br0 (closes and opens again; the stations behind it are forgotten)
            + port n
            - peer 198.18.0.3 (is a stranger then; the stations behind it are forgotten)
            + peer 198.18.0.4:8472
            - fdb 02:00:5e:10:00:02: port b
            ~ fdb 02:00:5e:10:00:01: VTEP 198.18.0.2 -> VTEP 198.18.0.4
        + domain green (VNI 500): 1 port, controller main
            + port c (comes from domain blue: closes, and opens again here)
        ~ domain gray (VNI 300): it has no ports
            ~ discovery.multicast.ttl: 1 -> 3
        - domain red (VNI 200): 1 port closes
        = 1 domain unchanged: it loses no frame

        """);

    [Test]
    public void WhatNeedsARestart_IsSaid_AndPeersFollowTheUnderlaysPort() => AssertPlan(
        Now.Replace("\"local\": \"198.18.0.1\"", "\"interface\": \"eth\\u202e0\", \"port\": 8472, \"udpChecksum\": false", StringComparison.Ordinal)
            .Replace("\"main\"", "\"other\"", StringComparison.Ordinal), """
        = 4 domains unchanged: they lose no frame
        ! underlay.local: 198.18.0.1 -> nothing needs a restart
        ! underlay.port: 4789 -> 8472 needs a restart
        ! underlay.udpChecksum: true -> false needs a restart
        ! underlay.interface: nothing -> eth\u202e0 needs a restart
        ! controllers.main (removed) needs a restart
        ! controllers.other (added) needs a restart
        A reload would be refused: restart vtep for what is marked !, or undo it.

        """);

    [Test]
    public void OrderAndKindOfDiscovery_AreSaidInALineEach() => AssertPlan(
        Now.Replace("[ \"198.18.0.2\", \"198.18.0.3\" ]", "[ \"198.18.0.3\", \"198.18.0.2\" ]", StringComparison.Ordinal)
            .Replace("{ \"tap\": \"b\" }, { \"tap\": \"c\" }", "{ \"tap\": \"c\" }, { \"tap\": \"b\" }", StringComparison.Ordinal)
            .Replace("\"multicast\": { \"group\": \"239.1.1.1\", \"interface\": \"eth0\" }", "\"static\": { \"peers\": [ \"198.18.0.2\" ] }", StringComparison.Ordinal), """
        ~ domain blue (VNI 100): its ports stay open
            ~ ports (in another order)
            ~ peers (in another order)
        ~ domain gray (VNI 300): it has no ports
            ~ discovery: group 239.1.1.1 on eth0 -> 1 peer
        = 2 domains unchanged: they lose no frame

        """);

    [Test]
    public void TheSame_IsNothing() => AssertPlan(Now.Replace("\"ageing\": 300,", "", StringComparison.Ordinal), """
        = 4 domains unchanged: they lose no frame
        Nothing would change.

        """);

    [Test]
    public void OrderThatMeansNothing_IsNothing()
    {
        DaemonConfig now = Parse(Now);
        BridgeDomainConfig[] turned = [.. now.Vtep.BridgeDomains.Reverse().Select(domain => domain with { Fdb = [.. domain.Fdb.Reverse()] })];

        Assert.That(ConfigPlan.Between(now, now with { Vtep = now.Vtep with { BridgeDomains = turned } }).IsEmpty);
    }

    [Test]
    public void Plan_HasAFormForPrograms()
    {
        var plan = ConfigPlan.Between(Parse(Now), Parse(Now.Replace("\"ageing\": 300", "\"ageing\": 0", StringComparison.Ordinal)));

        Assert.That(JsonSerializer.Serialize(plan, ConfigJson.Default.ConfigPlan), Is.EqualTo(
            """{"restart":[],"domains":[{"action":"change","name":"blue","vni":100,"summary":"its ports stay open","closedPorts":[],"""
            + "\"changes\":[{\"action\":\"change\",\"what\":\"ageing\",\"now\":\"300\",\"next\":\"0\",\"effect\":null}]}],\"unchanged\":3,\"needsRestart\":false}"));
    }

    [Test]
    public void Plan_IsWhatAReloadDoes() => RandomConfigurations.Pair.Sample(pair =>
    {
        using var before = new RunningVtep(pair.Now);
        before.Learn();
        before.AssertReloads(pair.Next, ConfigPlan.Between(pair.Now, pair.Next));
    }, iter: 600);

    [Test]
    public void EmptyPlan_IsTheSameConfiguration_AndTheOtherWayRound()
    {
        int empty = 0, refused = 0;
        RandomConfigurations.Pair.Sample(pair =>
        {
            var plan = ConfigPlan.Between(pair.Now, pair.Next);
            Assert.That(plan.IsEmpty, Is.EqualTo(Normal(pair.Now).Equals(Normal(pair.Next))));
            Interlocked.Add(ref empty, plan.IsEmpty ? 1 : 0);
            Interlocked.Add(ref refused, plan.NeedsRestart ? 1 : 0);
        }, iter: 3_000);
        Assert.That(empty, Is.GreaterThan(20), "the test sees some");
        Assert.That(refused, Is.GreaterThan(200), "the test sees some");
    }

    // What has no order is sorted.
    private static DaemonConfig Normal(DaemonConfig config) => config with
    {
        Sources = [.. config.Sources.OrderBy(source => source.Config.Name, StringComparer.Ordinal)],
        Vtep = config.Vtep with
        {
            Controllers = [.. config.Vtep.Controllers.OrderBy(controller => controller.Name, StringComparer.Ordinal)],
            BridgeDomains = [.. config.Vtep.BridgeDomains.OrderBy(domain => domain.Vni).Select(domain => domain with { Fdb = [.. domain.Fdb.OrderBy(entry => entry.Mac)] })],
        },
    };

    private static void AssertPlan(string next, string expected)
    {
        using var text = new StringWriter();
        PlanText.Write(ConfigPlan.Between(Parse(Now), Parse(next)), text);
        Assert.That(text.ToString(), Is.EqualTo(expected));
    }

    private static DaemonConfig Parse(string json)
    {
        ConfigResult result = ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json));
        Assert.That(result.Errors, Is.Empty);
        return result.Config!;
    }

    /// <summary>A VTEP with a reloader, on an in-memory host.</summary>
    private sealed class RunningVtep : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly MemoryNetwork _network = new();
        private readonly MemoryHost _host;
        private readonly Vtep _vtep;
        private readonly Reloader _reloader;
        private readonly DaemonConfig _config;

        public RunningVtep(DaemonConfig config)
        {
            _config = config;
            _host = new MemoryHost(_network, config.Vtep.Underlay.Local ?? InetAddress.Parse("198.18.0.1"));
            _vtep = new Vtep(config.Vtep, _host, seed: 1, nowMilliseconds: 1_000);
            var dataPlane = new DataPlane(_vtep, () => 1_000, next =>
            {
                _vtep.Apply(next, 1_000);
                return Task.CompletedTask;
            }, () => ValueTask.CompletedTask);
            _reloader = new Reloader(_folder.File("vtep.json"), config, dataPlane);
        }

        /// <summary>A station behind every port and every static peer.</summary>
        public void Learn()
        {
            ulong mac = 0x0200_0000_3000;
            foreach (BridgeDomainConfig domain in _config.Vtep.BridgeDomains)
            {
                foreach (PortConfig port in domain.Ports)
                    _host.Ports[port.Tap].Inject(TestFrames.Arp(new MacAddress(mac++)));
                foreach (VtepEndpoint peer in (domain.Discovery as StaticDiscovery)?.Peers ?? [])
                {
                    var outer = new OuterHeader { Remote = new VtepEndpoint(_host.Underlay!.Local, _config.Vtep.Underlay.Port) };
                    _network.Send(new MemoryDatagram(peer, outer, TestNetwork.Vxlan(domain.Vni.Value, TestFrames.Arp(new MacAddress(mac++)))));
                }
            }

            Run();
        }

        public void AssertReloads(DaemonConfig next, ConfigPlan plan)
        {
            Dictionary<string, MemoryPort> ports = _host.Ports.ToDictionary();
            FdbSnapshot[] fdb = [.. _vtep.Fdb(1_000)];
            Dictionary<int, string> domains = Domains();
            string before = Everything();
            File.WriteAllBytes(_folder.File("vtep.json"), ConfigWriter.Write(next));

            ReloadResult result = _reloader.ReloadAsync().GetAwaiter().GetResult();

            Assert.That(result.Plan is null, Is.EqualTo(plan.NeedsRestart), string.Join('\n', result.Errors));
            if (plan.NeedsRestart || plan.IsEmpty)
                Assert.That(Everything(), Is.EqualTo(before));
            if (plan.NeedsRestart)
                return;
            AssertPorts(ports, next, plan);
            AssertUnchanged(domains, plan);
            AssertStations(fdb, next, plan);
        }

        public void Dispose()
        {
            Run();
            Assert.That(_vtep.Counters().Unaccounted, Is.Zero);
            _reloader.Dispose();
            _vtep.Dispose();
            _folder.Dispose();
        }

        private static void AssertPorts(Dictionary<string, MemoryPort> before, DaemonConfig next, ConfigPlan plan)
        {
            HashSet<string> closed = [.. plan.Domains.SelectMany(domain => domain.ClosedPorts)];
            foreach ((string tap, MemoryPort port) in before)
                Assert.That(port.IsDisposed, Is.EqualTo(closed.Contains(tap)), $"{tap} closes");
            HashSet<string> coming = [.. plan.Domains.SelectMany(domain => domain.Changes).Where(change => change.Action == PlanAction.Add && change.What.StartsWith("port ", StringComparison.Ordinal)).Select(change => change.What[5..])];
            Assert.That(next.Vtep.BridgeDomains.Where(domain => plan.Domains.All(changed => changed.Vni != domain.Vni.Value)).SelectMany(domain => domain.Ports)
                .All(port => before.ContainsKey(port.Tap) && !coming.Contains(port.Tap)), "nothing opens in unchanged domains");
        }

        private void AssertUnchanged(Dictionary<int, string> before, ConfigPlan plan)
        {
            HashSet<int> changed = [.. plan.Domains.Select(domain => domain.Vni)];
            Dictionary<int, string> after = Domains();
            foreach (int vni in before.Keys.Where(vni => !changed.Contains(vni)))
                Assert.That(after[vni], Is.EqualTo(before[vni]));
            Assert.That(before.Keys.Count(vni => !changed.Contains(vni)), Is.EqualTo(plan.Unchanged));
        }

        // What was learned is forgotten where the plan says so, and nowhere else.
        private void AssertStations(FdbSnapshot[] before, DaemonConfig next, ConfigPlan plan)
        {
            HashSet<string> closed = [.. plan.Domains.SelectMany(domain => domain.ClosedPorts)];
            HashSet<(int, MacAddress)> known = [.. _vtep.Fdb(1_000).Select(entry => (entry.Vni.Value, entry.Mac))];
            foreach (FdbSnapshot entry in before.Where(entry => entry.Mac.Value is >= 0x0200_0000_3000 and < 0x0200_0000_4000))
            {
                DomainPlan? domain = plan.Domains.FirstOrDefault(changed => changed.Vni == entry.Vni.Value);
                bool isKindKept = next.Vtep.BridgeDomains.FirstOrDefault(config => config.Vni == entry.Vni)?.Discovery is StaticDiscovery or null;
                bool isForgotten = domain?.Action == PlanAction.Remove || (entry.Port is { } port && closed.Contains(port))
                    || Behind(entry, domain, "are forgotten");
                if (entry.Port is not null || (isKindKept && !Behind(entry, domain, "may be forgotten")))
                    Assert.That(known.Contains((entry.Vni.Value, entry.Mac)), Is.EqualTo(!isForgotten), $"{entry}");
            }
        }

        // The plan says it of "peer 198.18.0.2", or of "fdb 02:..." that was behind "VTEP 198.18.0.2".
        private bool Behind(FdbSnapshot entry, DomainPlan? domain, string fate) => entry.Vtep is { } vtep && domain is not null && domain.Changes
            .Where(change => change.Effect?.Contains(fate, StringComparison.Ordinal) == true && !change.What.StartsWith("port ", StringComparison.Ordinal))
            .Any(change => (change.Now ?? change.What).Split(' ')[1] == EndpointText.Write(vtep, _config.Vtep.Underlay.Port));

        private Dictionary<int, string> Domains() => _vtep.Domains().ToDictionary(domain => domain.Vni.Value,
            domain => JsonSerializer.Serialize([domain], ControlJson.Default.IReadOnlyListDomainSnapshot));

        private string Everything() => string.Join('\n', Domains().Values)
            + JsonSerializer.Serialize(_vtep.Ports(), ControlJson.Default.IReadOnlyListPortSnapshot)
            + JsonSerializer.Serialize(_vtep.Peers(1_000), ControlJson.Default.IReadOnlyListPeerSnapshot)
            + JsonSerializer.Serialize(_vtep.Fdb(1_000), ControlJson.Default.IReadOnlyListFdbSnapshot);

        private void Run()
        {
            int work;
            do
            {
                work = _host.Run(_vtep, 1_000);
                work += _network.Deliver();
            }
            while (work > 0);
        }
    }
}
