// The rules as an embedding program meets them: a configuration made in code, with values no file could have.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class VtepConfigRulesTests
{
    private static readonly BridgeDomainConfig s_domain = new()
    {
        Name = "blue",
        Vni = new Vni(100),
        Ports = [new PortConfig { Tap = "tap-blue" }],
        Discovery = new StaticDiscovery { Peers = [] },
    };

    private static readonly VtepConfig s_config = new() { Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") }, BridgeDomains = [s_domain] };

    [Test]
    public void ValidConfiguration_HasNoProblems()
    {
        Assert.That(VtepConfigRules.Check(s_config), Is.Empty);
        Assert.That(() => VtepConfigRules.ThrowIfInvalid(s_config), Throws.Nothing);
    }

    [Test]
    public void ValuesNoFileCanHave_AreFoundToo()
    {
        VtepConfig config = s_config with
        {
            Underlay = s_config.Underlay with { Port = 0 },
            BridgeDomains =
            [
                s_domain with { Encapsulation = new EncapsulationPolicy { Ttl = 0, Dscp = 64, Ecn = (EcnPolicy)9 } },
                s_domain with { Name = "red", Vni = new Vni(7), Ports = [], Discovery = new UnknownDiscovery() },
            ],
        };

        Assert.That(VtepConfigRules.Check(config).Select(problem => problem.ToString()), Is.EqualTo(new[]
        {
            "$.underlay.port: 0 is out of range; it must be 1 to 65535",
            "$.bridgeDomains[0].ttl: 0 is out of range; it must be 1 to 255",
            "$.bridgeDomains[0].dscp: 64 is out of range; it must be 0 to 63",
            "$.bridgeDomains[0].ecn: 9 is no EcnPolicy; use a named value",
            "$.bridgeDomains[1].discovery: this kind of discovery is not known; use static, multicast or controller",
        }));
    }

    [Test]
    public void Controllers_AreChecked()
    {
        VtepConfig config = s_config with
        {
            Controllers = [new() { Name = "main", Node = "h1" }, new() { Name = "main", Node = "h1" }, new() { Name = "a.b", Node = "h1" }, new() { Name = "x", Node = "" }],
            BridgeDomains =
            [
                s_domain with
                {
                    Discovery = new ControllerDiscovery
                    {
                        Controller = "mian",
                        Mode = (ControllerMode)9,
                        LookupsPerSecond = 0,
                        LookupTimeout = 9,
                        PositiveSeconds = 86_401,
                        NegativeSeconds = 3_601,
                    },
                },
                s_domain with { Name = "red", Vni = new Vni(7), Ports = [], Discovery = new ControllerDiscovery { Controller = "main" } },
            ],
        };

        Assert.That(VtepConfigRules.Check(config).Select(problem => problem.ToString()), Is.EqualTo(new[]
        {
            "$.controllers.main: the controller 'main' is there twice; remove one",
            "$.controllers: 'a.b' is no name of a controller; use 1 to 64 letters, digits, hyphens and underscores, like main",
            "$.controllers.x: '' is no node id; use 1 to 64 letters, digits, dots, hyphens and underscores, like h1",
            "$.bridgeDomains[0].discovery.controller.name: there is no controller 'mian'; the controllers are main, x",
            "$.bridgeDomains[0].discovery.controller.mode: 9 is no ControllerMode; use a named value",
            "$.bridgeDomains[0].discovery.controller.lookupsPerSecond: 0 is out of range; it must be 1 to 100000",
            "$.bridgeDomains[0].discovery.controller.lookupTimeout: 9 is out of range; it must be 10 to 5000",
            "$.bridgeDomains[0].discovery.controller.positiveSeconds: 86401 is out of range; it must be 1 to 86400",
            "$.bridgeDomains[0].discovery.controller.negativeSeconds: 3601 is out of range; it must be 1 to 3600",
        }));
    }

    [Test]
    public void KnownBadElements_TakePartInNoRule()
    {
        VtepConfig config = s_config with { BridgeDomains = [s_domain, s_domain] };

        Assert.That(VtepConfigRules.Check(config), Has.Count.EqualTo(3), "name, VNI and TAP");
        Assert.That(VtepConfigRules.Check(config, new HashSet<string> { "$.bridgeDomains[0].vni", "$.bridgeDomains[1].name" }).Select(problem => problem.Path),
            Is.EqualTo(new[] { "$.bridgeDomains[1].ports[0].tap" }));
    }

    [Test]
    public void InvalidConfiguration_IsAnException_WithALineForEachProblem() =>
        Assert.That(() => VtepConfigRules.ThrowIfInvalid(s_config with { Workers = -1, FdbCapacity = 0 }),
            Throws.InstanceOf<VtepException>().With.Message.EqualTo("""
                The configuration is not valid:
                  $.workers: -1 is out of range; it must be 0 to 256
                  $.fdb.capacity: 0 is out of range; it must be 1 to 67108864
                """));

    [TestCase("plain ä 😀", "plain ä 😀")]
    [TestCase("\u001b[31m\r\n\u0007", "\\u001b[31m\\u000d\\u000a\\u0007")]
    [TestCase("a\u202Eb\u2028c", "a\\u202eb\\u2028c")]
    public void Escape_LeavesWhatCanBePrinted(string text, string expected) =>
        Assert.That(VtepConfigRules.Escape(text), Is.EqualTo(expected));

    [Test]
    public void Quote_CutsLongText() =>
        Assert.That(VtepConfigRules.Quote(new string('x', 65)), Is.EqualTo($"'{new string('x', 64)}...'"));

    private sealed record UnknownDiscovery : DiscoveryConfig;
}
