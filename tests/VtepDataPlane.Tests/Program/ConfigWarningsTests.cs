// What a configuration may say but hardly means: a warning with its place, and a start all the same.

using System.Text;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ConfigWarningsTests
{
    private const string Static = "\"discovery\": { \"static\": { \"peers\": [ \"198.18.0.2\" ] } }";

    private static IEnumerable<TestCaseData> Suspicious()
    {
        yield return Case("GroupOnTwoInterfaces", Domains("""
            { "name": "a", "vni": 1, "discovery": { "multicast": { "group": "239.1.1.1", "interface": "eth0" } } },
            { "name": "b", "vni": 2, "discovery": { "multicast": { "group": "239.1.1.1", "interface": "eth1", "ttl": 2 } } },
            { "name": "c", "vni": 3, "discovery": { "multicast": { "group": "239.1.1.2", "interface": "eth1", "ttl": 3 } } }
            """),
            "3:91: warning: $.bridgeDomains[1].discovery.multicast.interface: the group 239.1.1.1 is joined on 'eth0' at $.bridgeDomains[0].discovery.multicast.interface; VTEPs of one group are hardly behind two interfaces",
            "3:106: warning: $.bridgeDomains[1].discovery.multicast.ttl: the group 239.1.1.1 has TTL 1 at $.bridgeDomains[0].discovery.multicast.ttl; what one domain reaches the other may not");
        yield return Case("GroupOfRouters", Domains("""{ "name": "a", "vni": 1, "discovery": { "multicast": { "group": "224.0.0.5", "interface": "eth0" } } }"""),
            "2:65: warning: $.bridgeDomains[0].discovery.multicast.group: 224.0.0.5 is kept for routing protocols and goes to every port of a switch; use one of 239.0.0.0/8");
        yield return Case("AddressInTwoDomains", Domains($$"""
            { "name": "a", "vni": 1, {{Static}}, "ports": [ { "tap": "t", "addresses": [ "198.19.0.1/24" ] } ] },
            { "name": "b", "vni": 2, {{Static}}, "ports": [ { "tap": "u", "addresses": [ "198.19.0.1/24" ] } ] }
            """),
            "3:124: warning: $.bridgeDomains[1].ports[0].addresses[0]: the address 198.19.0.1 is already at $.bridgeDomains[0].ports[0].addresses[0]; one host hardly has it on two devices");
        yield return Case("SubnetOfTheUnderlay", Domains($$"""{ "name": "a", "vni": 1, {{Static}}, "ports": [ { "tap": "t", "addresses": [ "198.18.0.9/24" ] } ] }"""),
            "2:124: warning: $.bridgeDomains[0].ports[0].addresses[0]: this VTEP's address 198.18.0.1 is in the port's own subnet 198.18.0.0/24; the way to the other VTEPs may lead into the tunnel");
        yield return Case("SubnetOfAPeer", Domains($$"""{ "name": "a", "vni": 1, {{Static}}, "ports": [ { "tap": "t", "addresses": [ "198.18.0.3/31" ] } ] }"""),
            "2:124: warning: $.bridgeDomains[0].ports[0].addresses[0]: the peer 198.18.0.2 is in the port's own subnet 198.18.0.2/31; the way to the other VTEPs may lead into the tunnel");
        yield return Case("EntryBehindNoPeer", Domains($$"""{ "name": "a", "vni": 1, {{Static}}, "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.7" } ] }"""),
            "2:131: warning: $.bridgeDomains[0].fdb[0].vtep: 198.18.0.7:4789 is no peer of the domain: it gets frames for 02:00:5e:10:00:01 only, and none that are flooded");
        yield return Case("EntryForAPort", Domains($$"""{ "name": "a", "vni": 1, {{Static}}, "ports": [ { "tap": "t", "mac": "02:00:5e:10:00:01" } ], "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.2" } ] }"""),
            "2:159: warning: $.bridgeDomains[0].fdb[0].mac: 02:00:5e:10:00:01 is a port's own address, which wins: the entry is never in force");
        yield return Case("BridgeOfTheUnderlay", """
            { "underlay": { "interface": "br0" }, "bridgeDomains": [
            { "name": "a", "vni": 1, "discovery": { "static": { "peers": [] } }, "ports": [ { "tap": "t", "bridge": "br0" } ] } ] }
            """,
            "2:105: warning: $.bridgeDomains[0].ports[0].bridge: 'br0' leads to the other VTEPs: what they send is flooded into the domain, and the domain's frames to them");
        yield return Case("ControllersOfOneStore", """
            { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [], "controllers": {
              "a": { "etcd": { "endpoints": [ "http://e:2379", "http://f:2379" ], "prefix": "/v", "node": "h1" } },
              "b": { "etcd": { "endpoints": [ "http://f:2379", "http://e:2379" ], "prefix": "/v", "node": "h2" } },
              "c": { "file": { "path": "/d", "node": "h1" } },
              "d": { "file": { "path": "/d", "node": "h1", "allowedVteps": [ "fd00::/8" ] } } } }
            """,
            "3:8: warning: $.controllers.b: this is the same store as $.controllers.a; domains can share one controller",
            "5:8: warning: $.controllers.d: this is the same store as $.controllers.c; domains can share one controller",
            "5:64: warning: $.controllers.d.file.allowedVteps: no prefix here is IPv4 as the underlay is, so no VTEP of this controller is ever believed");
    }

    [TestCaseSource(nameof(Suspicious))]
    public void WhatIsSuspicious_IsAWarning_AndNoError(string json, string[] expected)
    {
        ConfigResult result = ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json));

        Assert.That(result.Problems.Select(problem => problem.ToString()), Is.EqualTo(expected.Select(line => $"f:{line}")));
        Assert.That(result.Config, Is.Not.Null);
        Assert.That(result.Errors, Is.Empty);
    }

    [Test]
    public async Task CheckOfASuspiciousFile_SaysSo_AndThatItIsValid()
    {
        using var folder = new TemporaryFolder();
        using var output = new StringWriter();
        using var errors = new StringWriter();
        File.WriteAllText(folder.File("f"), Domains("""{ "name": "a", "vni": 1, "discovery": { "multicast": { "group": "224.0.0.5", "interface": "eth0" } } }"""));

        Assert.That(await CommandTree.InvokeAsync(["check", "--offline", folder.File("f")], output, errors, (_, _) => throw new InvalidOperationException("Nothing is to be started.")), Is.Zero);
        Assert.That(output.ToString(), Does.Contain(" is valid: 1 bridge domain"));
        Assert.That(errors.ToString(), Does.StartWith($"{folder.File("f")}:2:65: warning: $.bridgeDomains[0]"));
    }

    private static TestCaseData Case(string name, string json, params string[] expected) => BrokenConfigurations.Case(name, json, expected);

    private static string Domains(string json) => $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [
        {{json}} ] }
        """;
}
