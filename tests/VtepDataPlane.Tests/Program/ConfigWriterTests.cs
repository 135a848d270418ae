// The effective configuration: everything that can be said is written, and reading it again gives the same.

using System.Text;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ConfigWriterTests
{
    [Test]
    public void WhatIsWritten_IsReadAgain_AsTheSame() => RandomConfigurations.Any.Sample(config =>
    {
        Assert.That(VtepConfigRules.Check(config.Vtep), Is.Empty, "the test makes valid configurations");
        ConfigResult result = ConfigFile.Parse("f", ConfigWriter.Write(config));
        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.Config, Is.EqualTo(config));
    }, iter: 2_000);

    [Test]
    public void Sample_IsWritten_AndReadAgain_AsTheSame([Values("samples/vtep.jsonc")] string file)
    {
        DaemonConfig sample = ConfigFile.Load(Repository.File(file)).Config!;
        byte[] written = ConfigWriter.Write(sample);

        Assert.That(ConfigFile.Parse("f", written).Config, Is.EqualTo(sample));
        Assert.That(ConfigWriter.Write(ConfigFile.Parse("f", written).Config!), Is.EqualTo(written));
    }

    [Test]
    public void EveryDefault_IsWritten_AndWhatOnlyTheMachineKnowsIsNot()
    {
        string written = Written("""
            { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [
              { "name": "blä", "vni": 100, "ports": [ { "tap": "t" } ], "discovery": { "static": { "peers": [ "198.18.0.2:4789", "198.18.0.3:1" ] } } } ] }
            """);

        Assert.That(written, Is.EqualTo("""
            {
              "workers": 0,
              "control": {
                "socket": "/run/vtep/vtep.sock",
                "dashboard": false
              },
              "fdb": {
                "capacity": 262144
              },
              "underlay": {
                "local": "198.18.0.1",
                "port": 4789,
                "udpChecksum": true,
                "acceptZeroChecksumIPv6": false,
                "learnedPeerLimit": 256,
                "learnedPeerAgeing": 300
              },
              "controllers": {},
              "bridgeDomains": [
                {
                  "name": "bl\u00E4",
                  "vni": 100,
                  "ports": [
                    {
                      "tap": "t",
                      "addresses": []
                    }
                  ],
                  "discovery": {
                    "static": {
                      "peers": [
                        "198.18.0.2",
                        "198.18.0.3:1"
                      ]
                    }
                  },
                  "learning": true,
                  "ageing": 300,
                  "fdbLimit": 8192,
                  "fdb": [],
                  "ttl": 64,
                  "dscp": 0,
                  "df": "set",
                  "ecn": "linux",
                  "reservedBits": "rfc",
                  "innerVlan": "drop"
                }
              ]
            }

            """));
    }

    [Test]
    public void NamesThatMoveATerminal_AreWrittenAsNumbers()
    {
        string written = Written("""{ "control": { "socket": "/a\u001b[31m\u202e" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""");

        Assert.That(written, Does.Contain(@"/a\u001B[31m\u202E"));
        Assert.That(written.Where(c => c is not '\n' and (< ' ' or > '~')), Is.Empty);
    }

    private static string Written(string json)
    {
        DaemonConfig config = ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json)).Config!;
        return Encoding.UTF8.GetString(ConfigWriter.Write(config));
    }
}
