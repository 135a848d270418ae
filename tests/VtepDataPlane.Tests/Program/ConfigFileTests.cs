// The configuration file: every error with its place, all of them at once, and nothing that makes the loader throw.

using System.Text;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ConfigFileTests
{
    private const string Good = """
        {
          "workers": 0,                                        // 0: one per core, at most 4
          "control": { "socket": "/run/vtep/vtep.sock", "http": null },
          "underlay": { "local": "198.18.0.1", "port": 4789 },
          "bridgeDomains": [
            { "name": "blue", "vni": 100,
              "ports": [ { "tap": "tap-blue" } ],              // optional: "mtu", "mac", "bridge", "addresses": ["198.19.0.1/24"]
              "discovery": { "static": { "peers": [ "198.18.0.2", "198.18.0.3" ] } } },
            { "name": "red", "vni": 200,
              "ports": [ { "tap": "tap-red" } ],
              "discovery": { "multicast": { "group": "239.1.1.200", "interface": "eth0", "ttl": 1 } } },
          ],
        }
        """;

    [TestCaseSource(typeof(BrokenConfigurations), nameof(BrokenConfigurations.All))]
    public void BrokenConfiguration_IsReported_WithPlaceAndRemedy(string json, string[] expected)
    {
        ConfigResult result = Parse(json);

        Assert.That(result.Config, Is.Null);
        Assert.That(result.Problems.Select(problem => problem.ToString()), Is.EqualTo(expected.Select(line => $"f:{line}")));
    }

    [Test]
    public void AllErrors_AreReportedAtOnce_InTheFilesOrder()
    {
        const string Json = """
            {
              "workers": -1,
              "underlay": { "local": "198.18.0.1", "porrt": 4789 },
              "bridgeDomains": [
                { "name": "a", "vni": "1", "ports": [ { "tap": "t", "mtu": 1 }, 5 ], "discovery": { "static": { "peers": [ "x", "198.18.0.1" ] } } },
                { "vni": 2, "ports": [ { "tap": "t" } ], "discovery": { "multicast": { "group": "198.18.0.9" } } },
                { "name": "a", "vni": 2, "discovery": { "controller": {} }, "ttl": 256 }
              ]
            }
            """;

        string[] found = [.. Parse(Json).Problems.Select(problem => problem.ToString())];

        Assert.That(found, Is.EqualTo(new[]
        {
            "f:2:14: $.workers: -1 is out of range; it must be 0 to 256",
            "f:3:40: $.underlay.porrt: unknown key 'porrt'; did you mean \"port\"?",
            "f:5:27: $.bridgeDomains[0].vni: must be a number, not a string; write 0 to 16777215",
            "f:5:64: $.bridgeDomains[0].ports[0].mtu: 1 is out of range; it must be 68 to 65505",
            "f:5:69: $.bridgeDomains[0].ports[1]: must be an object, not a number; write { \"tap\": ... }",
            "f:5:112: $.bridgeDomains[0].discovery.static.peers[0]: 'x' is no VTEP; write an address, like 198.18.0.2 or fd00::2, "
                + "or with a port 198.18.0.2:8472 or [fd00::2]:8472",
            "f:5:117: $.bridgeDomains[0].discovery.static.peers[1]: 198.18.0.1 is this VTEP's own address; list the other ones only",
            "f:6:5: $.bridgeDomains[1]: the key \"name\" is missing; add \"name\": \"blue\"",
            "f:6:37: $.bridgeDomains[1].ports[0].tap: the TAP device 't' is already at $.bridgeDomains[0].ports[0].tap; each may be there once",
            "f:6:74: $.bridgeDomains[1].discovery.multicast: the key \"interface\" is missing; add \"interface\": \"eth0\"",
            "f:6:85: $.bridgeDomains[1].discovery.multicast.group: 198.18.0.9 is no multicast group; use one of 224.0.0.0/4, like 239.1.1.200, "
                + "or of ff00::/8",
            "f:7:15: $.bridgeDomains[2].name: the name 'a' is already at $.bridgeDomains[0].name; each may be there once",
            "f:7:27: $.bridgeDomains[2].vni: the VNI 2 is already at $.bridgeDomains[1].vni; each may be there once",
            "f:7:59: $.bridgeDomains[2].discovery.controller: the key \"name\" is missing; add \"name\": \"main\"",
            "f:7:72: $.bridgeDomains[2].ttl: 256 is out of range; it must be 1 to 255",
        }));
    }

    [Test]
    public void GoodFile_GivesItsConfiguration()
    {
        DaemonConfig config = Parsed(Good);

        Assert.That(config.ControlSocket, Is.EqualTo("/run/vtep/vtep.sock"));
        Assert.That(config.Vtep.Workers, Is.Zero);
        Assert.That(config.Vtep.FdbCapacity, Is.EqualTo(262_144));
        Assert.That(config.Vtep.Underlay, Is.EqualTo(new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1"), Port = 4789 }));
        Assert.That(config.Vtep.BridgeDomains, Is.EqualTo(new[]
        {
            new BridgeDomainConfig
            {
                Name = "blue",
                Vni = new Vni(100),
                Ports = [new PortConfig { Tap = "tap-blue" }],
                Discovery = new StaticDiscovery { Peers = [Endpoint("198.18.0.2", 4789), Endpoint("198.18.0.3", 4789)] },
            },
            new BridgeDomainConfig
            {
                Name = "red",
                Vni = new Vni(200),
                Ports = [new PortConfig { Tap = "tap-red" }],
                Discovery = new MulticastDiscovery { Group = new MulticastGroup(InetAddress.Parse("239.1.1.200"), "eth0"), Ttl = 1 },
            },
        }));
    }

    [Test]
    public void EverySetting_ReachesTheConfiguration()
    {
        DaemonConfig config = Parsed("""
            {
              "workers": 3, "control": { "socket": "/tmp/v.sock" }, "fdb": { "capacity": 1000 },
              "underlay": { "interface": "eth9", "port": 8472, "udpChecksum": false, "acceptZeroChecksumIPv6": true,
                            "learnedPeerLimit": 7, "learnedPeerAgeing": 60 },
              "bridgeDomains": [ {
                "name": "all", "vni": 16777215,
                "ports": [ { "tap": "t0", "mtu": 1400, "mac": "02:00:5e:10:00:01", "bridge": "br0", "addresses": [ "198.19.0.1/24", "fd00:19::1/64" ] } ],
                "discovery": { "static": { "peers": [ "fd00::2", "[fd00::3]:4789" ] } },
                "learning": false, "ageing": 0, "fdbLimit": 9,
                "fdb": [ { "mac": "02:00:5e:10:00:09", "vtep": "fd00::2" }, { "mac": "02:00:5e:10:00:0a", "port": "t0" } ],
                "ttl": "inherit", "dscp": 46, "df": "unset", "ecn": "rfc6040", "reservedBits": "linux", "innerVlan": "pass" } ]
            }
            """);

        Assert.That(config.ControlSocket, Is.EqualTo("/tmp/v.sock"));
        Assert.That(config.Vtep.Workers, Is.EqualTo(3));
        Assert.That(config.Vtep.FdbCapacity, Is.EqualTo(1000));
        Assert.That(config.Vtep.Underlay, Is.EqualTo(new UnderlayConfig
        {
            Interface = "eth9",
            Port = 8472,
            UdpChecksum = false,
            AcceptZeroChecksumIPv6 = true,
            LearnedPeerLimit = 7,
            LearnedPeerAgeing = 60,
        }));
        Assert.That(config.Vtep.BridgeDomains, Is.EqualTo(new[]
        {
            new BridgeDomainConfig
            {
                Name = "all",
                Vni = new Vni(Vni.MaxValue),
                Ports =
                [
                    new PortConfig
                    {
                        Tap = "t0",
                        Mtu = 1400,
                        Mac = MacAddress.Parse("02:00:5e:10:00:01"),
                        Bridge = "br0",
                        Addresses = [new(InetAddress.Parse("198.19.0.1"), 24), new(InetAddress.Parse("fd00:19::1"), 64)],
                    },
                ],
                Discovery = new StaticDiscovery { Peers = [Endpoint("fd00::2", 8472), Endpoint("fd00::3", 4789)] },
                Learning = false,
                Ageing = 0,
                FdbLimit = 9,
                Fdb =
                [
                    new StaticFdbEntry(MacAddress.Parse("02:00:5e:10:00:09"), Endpoint("fd00::2", 8472), null),
                    new StaticFdbEntry(MacAddress.Parse("02:00:5e:10:00:0a"), null, "t0"),
                ],
                Encapsulation = new EncapsulationPolicy
                {
                    Ttl = null,
                    Dscp = 46,
                    DontFragment = DontFragmentPolicy.Unset,
                    Ecn = EcnPolicy.Rfc6040,
                    ReservedBits = ReservedBitsPolicy.Linux,
                    InnerVlan = InnerVlanPolicy.Pass,
                },
            },
        }));
    }

    [Test]
    public void ByteOrderMark_IsAllowed_AndColumnsCountCharacters()
    {
        Assert.That(Parsed("\uFEFF" + Good).Vtep.BridgeDomains, Has.Count.EqualTo(2));
        Assert.That(Parse("\uFEFF{ /* äöü */ \"x\": 1 }").Problems[^1].Column, Is.EqualTo(13));
    }

    [Test]
    public void TextThatIsNotUtf8_IsAnError_AtItsPlace()
    {
        byte[] json = [.. "{\n \"name\": \""u8, 0xC3, 0x28, .. "\" }"u8];

        ConfigResult result = ConfigFile.Parse("f", json);

        Assert.That(result.Problems.Single().ToString(), Is.EqualTo("f:2:10: the text is not valid UTF-8; save the file as UTF-8"));
    }

    [Test]
    public void PeersAndDomains_AreBounded()
    {
        string peers = string.Join(", ", Enumerable.Range(0, 4097).Select(i => $"\"198.18.{16 + (i >> 8)}.{i & 255}\""));
        string json = $$"""
            { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "a", "vni": 1, "discovery": { "static": { "peers":
              [ {{peers}} ] } } } ] }
            """;
        string domains = string.Join(",", Enumerable.Repeat("0", 65_536));

        Assert.That(Parse(json).Problems.Single().ToString(), Is.EqualTo(
            "f:2:3: $.bridgeDomains[0].discovery.static.peers: there are 4097 peers; a domain has at most 4096"));
        Assert.That(Parse($$"""{ "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [{{domains}}] }""").Problems.Select(problem => problem.Message),
            Has.Member("there are 65536 domains; a VTEP has at most 65535"));
    }

    [Test]
    public void TenThousandDomains_AreReadWithinASecond()
    {
        string domains = string.Join(",\n", Enumerable.Range(0, 10_000).Select(i => $$"""
            { "name": "d{{i}}", "vni": {{i}}, "ports": [ { "tap": "t{{i}}" } ], "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }
            """));
        long start = Environment.TickCount64;

        DaemonConfig config = Parsed($$"""{ "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ {{domains}} ] }""");

        Assert.That(config.Vtep.BridgeDomains, Has.Count.EqualTo(10_000));
        Assert.That(Environment.TickCount64 - start, Is.LessThan(5_000), "a second on an idle machine; five on a loaded one");
    }

    [Test]
    public void TruncatedAtEveryByte_NeverThrows_AndIsNeverValid()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Good);
        int lastBrace = Array.LastIndexOf(whole, (byte)'}');

        for (int length = 0; length <= lastBrace; length++)
        {
            ConfigResult result = ConfigFile.Parse("f", whole.AsMemory(0, length));
            Assert.That(result.Problems, Is.Not.Empty, $"{length} bytes");
        }
    }

    [Test]
    public void RandomMutation_NeverThrows_AndSaysWhereItWentWrong()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Good);
        Gen<(int At, byte Value)[]> changes = Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[1, 4];

        changes.Sample(mutations =>
        {
            byte[] mutated = [.. whole];
            foreach ((int at, byte value) in mutations)
                mutated[at] = value;
            ConfigResult result = ConfigFile.Parse("f", mutated);
            Assert.That(result.Config is null, Is.EqualTo(result.Errors.Any()));
            Assert.That(result.Problems.All(problem => problem.Line > 0 && problem.Column > 0 && problem.Message.Length > 0));
        }, iter: 5_000);
    }

    [Test]
    public void RandomJsonOfKnownKeys_NeverThrows()
    {
        string[] keys =
        [
            "workers", "control", "socket", "http", "dashboard", "underlay", "local", "interface", "port", "fdb", "capacity", "bridgeDomains", "name", "vni", "ports",
            "tap", "mtu", "mac", "bridge", "addresses", "discovery", "static", "multicast", "peers", "group", "ttl", "controllers", "vtep", "dscp", "df", "controller", "etcd", "file",
            "endpoints", "prefix", "node", "tls", "ca", "certificate", "key", "user", "passwordFile", "cache", "allowedVteps", "path", "mode", "main",
        ];
        Gen<string> leaf = OneOf("0", "-1", "70000", "1e3", "true", "null", "\"\"", "\"eth0\"", "\"198.18.0.1\"", "\"fd00::1/64\"", "\"inherit\"");
        Gen<string> Value(int depth) => depth == 0 ? leaf : Gen.OneOf(
            leaf,
            Value(depth - 1).Array[0, 3].Select(items => $"[{string.Join(",", items)}]"),
            Gen.Select(OneOf(keys), Value(depth - 1)).Array[0, 5]
                .Select(members => $"{{{string.Join(",", members.Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}"));

        Value(5).Sample(json =>
        {
            ConfigResult result = Parse(json);
            Assert.That(result.Config is null, Is.EqualTo(result.Errors.Any()));
        }, iter: 3_000);
    }

    [Test]
    public void FileThatCannotBeRead_IsOneSentence()
    {
        using var folder = new TemporaryFolder();

        Assert.That(Single(folder.Path), Is.EqualTo($"{folder.Path}: this is a directory; give the path of the configuration file in it"));
        Assert.That(Single(folder.File("none")), Is.EqualTo($"{folder.File("none")}: there is no such file; give the path of the configuration file"));
        Assert.That(Single("a\u001b[31m"), Is.EqualTo("a\\u001b[31m: there is no such file; give the path of the configuration file"));
        Assert.That(Single(""), Does.Contain("it can't be read"));
    }

    [Test]
    public void FileOverTheLimit_IsNotReadToItsEnd()
    {
        // A device without an end: reading all of it would never return.
        Assert.That(Single("/dev/zero"), Is.EqualTo("/dev/zero: the file has more than 64 MiB; a configuration has less"));
    }

    [Test]
    public void Sample_IsValid_AndUncommentedToo()
    {
        string path = Repository.File("samples/vtep.jsonc");
        string text = File.ReadAllText(path);
        // What is commented out shows the default, so that uncommenting it changes nothing.
        string uncommented = string.Join('\n', text.Split('\n').Select(line =>
            line.TrimStart().StartsWith("// \"", StringComparison.Ordinal) ? line.TrimStart()[3..] : line));

        ConfigResult sample = ConfigFile.Load(path);

        Assert.That(sample.Problems, Is.Empty);
        Assert.That(uncommented, Is.Not.EqualTo(text));
        VtepConfig full = Parsed(uncommented).Vtep;
        Assert.That(full.Underlay, Is.EqualTo(sample.Config!.Vtep.Underlay));
        Assert.That(full.FdbCapacity, Is.EqualTo(sample.Config.Vtep.FdbCapacity));
        Assert.That(full.BridgeDomains[0].Encapsulation, Is.EqualTo(new EncapsulationPolicy()));
        Assert.That(full.BridgeDomains[0].Ageing, Is.EqualTo(sample.Config.Vtep.BridgeDomains[0].Ageing));
        Assert.That(full.BridgeDomains[0].Ports[0].Bridge, Is.EqualTo("br0"));
    }

    private static Gen<string> OneOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);

    private static ConfigResult Parse(string json) => ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json));

    private static DaemonConfig Parsed(string json)
    {
        ConfigResult result = Parse(json);
        Assert.That(result.Problems, Is.Empty);
        return result.Config!;
    }

    private static string Single(string path) => ConfigFile.Load(path).Problems.Single().ToString();

    private static VtepEndpoint Endpoint(string address, ushort port) => new(InetAddress.Parse(address), port);
}
