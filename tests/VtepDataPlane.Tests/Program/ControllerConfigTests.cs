// Controllers of the configuration file: what reaches the configuration, and what is meant when nothing is said.

using System.Text;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Etcd;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ControllerConfigTests
{
    private const string Everything = """
        {
          "underlay": { "local": "198.18.0.1" },
          "controllers": {
            "main": { "etcd": {
              "endpoints": [ "https://198.18.0.100:2379", "https://[fd00::9]:2379" ], "prefix": "/vtep/v1/lab", "node": "h-1.a_b", "leaseSeconds": 5,
              "user": "h1", "passwordFile": "/p", "tls": { "ca": "/ca", "certificate": "/c", "key": "/k" }, "cache": "/x/c",
              "allowedVteps": [ "198.18.0.0/15", "fd00::/8" ], "keepOnStop": true } },
            "unused": { "file": { "path": "/etc/vtep/directory.json", "node": "h1" } },
          },
          "bridgeDomains": [
            { "name": "a", "vni": 1, "discovery": { "controller": {
              "name": "main", "mode": "lookup", "suppressNeighbors": false, "learnFromPeers": true, "floodUnknown": false,
              "lookupsPerSecond": 7, "lookupTimeout": 50, "positiveSeconds": 8, "negativeSeconds": 9 } } },
            { "name": "b", "vni": 2, "discovery": { "controller": { "name": "main" } } },
          ],
        }
        """;

    [Test]
    public void EverySettingOfAController_ReachesTheConfiguration()
    {
        DaemonConfig config = Parsed(Everything);
        ControllerConfig main = new()
        {
            Name = "main",
            Node = "h-1.a_b",
            AllowedVteps = [InetPrefix.Of(InetAddress.Parse("198.18.0.0"), 15), InetPrefix.Of(InetAddress.Parse("fd00::"), 8)],
        };
        ControllerConfig unused = new() { Name = "unused", Node = "h1" };

        Assert.That(config.Vtep.Controllers, Is.EqualTo(new[] { main, unused }));
        Assert.That(config.Sources, Is.EqualTo(new ControllerSource[]
        {
            new EtcdSource(main, new EtcdOptions
            {
                Endpoints = [new Uri("https://198.18.0.100:2379"), new Uri("https://[fd00::9]:2379")],
                Prefix = "/vtep/v1/lab",
                Node = "h-1.a_b",
                LeaseSeconds = 5,
                User = "h1",
                PasswordFile = "/p",
                CaFile = "/ca",
                CertificateFile = "/c",
                KeyFile = "/k",
                CacheFile = "/x/c",
                KeepOnStop = true,
            }),
            new FileSource(unused, "/etc/vtep/directory.json"),
        }));
    }

    [Test]
    public void EverySettingOfADomain_ReachesTheConfiguration()
    {
        Assert.That(Parsed(Everything).Vtep.BridgeDomains.Select(domain => domain.Discovery), Is.EqualTo(new[]
        {
            new ControllerDiscovery
            {
                Controller = "main",
                Mode = ControllerMode.Lookup,
                SuppressNeighbors = false,
                LearnFromPeers = true,
                FloodUnknown = false,
                LookupsPerSecond = 7,
                LookupTimeout = 50,
                PositiveSeconds = 8,
                NegativeSeconds = 9,
            },
            new ControllerDiscovery { Controller = "main" },
        }));
    }

    [TestCase("", "/var/lib/vtep/main.cache")]
    [TestCase(", \"cache\": null", null)]
    public void WhatIsNotSaid_HasADefault(string more, string? cache)
    {
        EtcdSource source = Parsed($$"""
            { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [],
              "controllers": { "main": { "etcd": { "endpoints": [ "http://e:2379" ], "prefix": "/v", "node": "h1"{{more}} } } } }
            """).Sources.OfType<EtcdSource>().Single();

        Assert.That(source.Options, Is.EqualTo(new EtcdOptions { Endpoints = source.Options.Endpoints, Prefix = "/v", Node = "h1", CacheFile = cache }));
        Assert.That((source.Options.KeepOnStop, source.Config.AllowedVteps.Count), Is.EqualTo((false, 0)));
    }

    [Test]
    public void NodeThatIsNotGiven_IsAHashOfTheMachinesId()
    {
        ConfigResult result = ConfigFile.Parse("f", Encoding.UTF8.GetBytes("""
            { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [], "controllers": { "main": { "file": { "path": "/d" } } } }
            """));
        string? here = MachineNode.OfThisMachine();

        // echo -n b08dfa6083e7567a1921a715000001fbvtep | sha256sum
        Assert.That(MachineNode.Of("b08dfa6083e7567a1921a715000001fb"), Is.EqualTo("a11d48ff110ec323"));
        Assert.That(result.Config?.Vtep.Controllers[0].Node, Is.EqualTo(here));
        Assert.That(result.Problems.Any(problem => problem.Message.Contains("/etc/machine-id", StringComparison.Ordinal)), Is.EqualTo(here is null));
    }

    private static DaemonConfig Parsed(string json)
    {
        ConfigResult result = ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json));
        Assert.That(result.Problems, Is.Empty);
        return result.Config!;
    }
}
