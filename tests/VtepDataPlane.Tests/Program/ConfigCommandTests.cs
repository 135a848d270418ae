// show config, plan, reload and schema, against a daemon in process.

using System.Text;
using System.Text.Json;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ConfigCommandTests
{
    private const string Config = """
        {
          "workers": 1, "control": { "socket": "SOCKET" }, "fdb": { "capacity": 1000 },
          "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue", "mtu": 1400 } ],
              "discovery": { "static": { "peers": [ "198.18.0.2" ] } } },
            { "name": "red", "vni": 200, "discovery": { "static": { "peers": [] } } } ]
        }
        """;

    [Test]
    public async Task ShowConfig_IsAFileOneCanStartFrom_WhateverWasAddedAtRunTime()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        await daemon.CommandAsync("fdb", "add", "--vni", "100", "--mac", "02:00:5e:10:00:09", "--vtep", "198.18.0.7");

        (int exitCode, string output, string errors) = await daemon.CommandAsync("show", "config");

        Assert.That((exitCode, errors), Is.EqualTo((0, "")));
        Assert.That(ConfigFile.Parse("f", Encoding.UTF8.GetBytes(output)).Config, Is.EqualTo(ConfigFile.Load(daemon.ConfigPath).Config));
        Assert.That(output, Does.Contain("\"ageing\": 300").And.Not.Contain("198.18.0.7"));
        Assert.That(await daemon.CommandAsync("show", "config", "--json"), Is.EqualTo((0, output, "")));
    }

    [Test]
    public async Task Plan_TellsAReloadThatWorks_FromOneThatIsRefused_AndFromABrokenFile()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        using var folder = new TemporaryFolder();
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        string works = folder.File("works"), refused = folder.File("refused"), broken = folder.File("broken");
        await File.WriteAllTextAsync(works, file.Replace("\"mtu\": 1400", "\"mtu\": 1300", StringComparison.Ordinal));
        await File.WriteAllTextAsync(refused, file.Replace("\"workers\": 1", "\"workers\": 2", StringComparison.Ordinal));
        await File.WriteAllTextAsync(broken, "{ \"underlay\": {} }");

        Assert.That(await daemon.CommandAsync("plan"), Is.EqualTo((0, "= 2 domains unchanged: they lose no frame\nNothing would change.\n", "")));
        Assert.That(await daemon.CommandAsync("plan", works), Is.EqualTo((0, """
            ~ domain blue (VNI 100): 1 of 1 port closes
                ~ port tap-blue: mtu 1400 -> mtu 1300 (closes and opens again; the stations behind it are forgotten)
            = 1 domain unchanged: it loses no frame

            """, "")));
        Assert.That(await daemon.CommandAsync("plan", refused), Is.EqualTo((1, """
            = 2 domains unchanged: they lose no frame
            ! workers: 1 -> 2 needs a restart
            A reload would be refused: restart vtep for what is marked !, or undo it.

            """, "")));
        Assert.That(await daemon.CommandAsync("plan", refused, "--json"), Is.EqualTo((1,
            """{"restart":[{"action":"change","what":"workers","now":"1","next":"2","effect":null}],"domains":[],"unchanged":2,"needsRestart":true}""" + "\n", "")));
        (int exitCode, string output, string errors) = await daemon.CommandAsync("plan", broken);
        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(errors.Split('\n'), Has.Length.EqualTo(3), "two errors");
        Assert.That((await daemon.CommandAsync("show", "ports", "--json")).Output, Does.Contain("\"mtu\":1400"), "nothing was changed");
    }

    [Test]
    public async Task PlanWithoutAFile_IsForTheFileOfTheDaemon_AndTheReloadThenDoesThat()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("200", "300", StringComparison.Ordinal));

        (int exitCode, string output, _) = await daemon.CommandAsync("plan");

        Assert.That((exitCode, output), Is.EqualTo((0, "+ domain red (VNI 300): 0 ports, 0 peers\n- domain red (VNI 200): it has no ports\n= 1 domain unchanged: it loses no frame\n")));
        Assert.That(await daemon.CommandAsync("reload"), Is.EqualTo((0, $"Reloaded {daemon.ConfigPath}: 1 domain added, 1 removed, 1 unchanged.\n", "")));
        Assert.That(await daemon.CommandAsync("reload"), Is.EqualTo((0, $"Reloaded {daemon.ConfigPath}: 2 domains unchanged.\n", "")));
        await File.WriteAllTextAsync(daemon.ConfigPath, "{");
        Assert.That((await daemon.CommandAsync("plan")).ExitCode, Is.EqualTo(2));
    }

    [Test]
    public async Task ReloadOfASuspiciousFile_Warns()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("\"static\": { \"peers\": [] }", "\"multicast\": { \"group\": \"224.0.0.5\", \"interface\": \"eth0\" }", StringComparison.Ordinal));

        (int exitCode, string output, string errors) = await daemon.CommandAsync("reload");

        Assert.That((exitCode, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("warning: $.bridgeDomains[1].discovery.multicast.group").And.EndsWith("1 domain changed, 1 unchanged.\n"));
    }

    [Test]
    public async Task Plan_WithoutADaemon_IsExitCodeThree_ButABrokenFileIsSaidFirst()
    {
        InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        await daemon.StopAsync();

        Assert.That((await daemon.CommandAsync("plan")).ExitCode, Is.EqualTo(3));
        Assert.That((await daemon.CommandAsync("plan", daemon.ConfigPath)).ExitCode, Is.EqualTo(3));
        Assert.That(await daemon.CommandAsync("plan", "/none"), Is.EqualTo((2, "", "/none: there is no such file; give the path of the configuration file\n")));
        await daemon.DisposeAsync();
    }

    [Test]
    public async Task Schema_IsPrintedAsItStandsInTheSources()
    {
        using var output = new StringWriter();
        int exitCode = await Daemon.Commands.CommandTree.InvokeAsync(["schema"], output, TextWriter.Null, (_, _) => throw new InvalidOperationException("Nothing is started."));

        Assert.That(exitCode, Is.Zero);
        Assert.That(output.ToString(), Is.EqualTo(await File.ReadAllTextAsync(Repository.File("src/Vtep/Configuration/vtep.schema.json"))));
        using var parsed = JsonDocument.Parse(output.ToString());
        Assert.That(parsed.RootElement.GetProperty("$schema").GetString(), Is.EqualTo("https://json-schema.org/draft/2020-12/schema"));
    }
}
