// The daemon in process: control API and commands over a unix socket, reload, start and stop.

using System.Net;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class DaemonTests
{
    private const string Config = """
        {
          "workers": 1, "control": { "socket": "SOCKET" }, "fdb": { "capacity": 1000 },
          "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue", "mtu": 1400 } ],
              "discovery": { "static": { "peers": [ "198.18.0.2" ] } } } ]
        }
        """;

    [Test]
    public async Task Show_HasATableAndJson_ForEverything()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);

        Assert.That(await daemon.CommandAsync("show", "status", "--json"), Is.EqualTo((0,
            """{"local":"198.18.0.1","port":4789,"localAddressPresent":true,"workers":1,"bridgeDomains":1,"ports":1,"peers":1,"fdbEntries":0,"""
            + "\"fdbCapacity\":1000,\"controllers\":[],\"warnings\":[]}\n", "")));
        Assert.That(await daemon.CommandAsync("show", "neighbors", "--json"), Is.EqualTo((0, "[]\n", "")));
        Assert.That(await daemon.CommandAsync("show", "neighbors"), Is.EqualTo((0,
            "No neighbors: none are known yet, and only domains with a controller have a table of them.\n", "")));
        Assert.That(await daemon.CommandAsync("show", "directory", "--json"), Is.EqualTo((0, "{\"records\":[],\"rejected\":[]}\n", "")));
        Assert.That(await daemon.CommandAsync("show", "directory"), Is.EqualTo((0, "No records: no controller said anything yet.\n", "")));
        Assert.That(await daemon.CommandAsync("diff", "--json"), Is.EqualTo((0, "[]\n", "")));
        Assert.That(await daemon.CommandAsync("diff"), Is.EqualTo((0, "no differences\n", "")));
        Assert.That(await daemon.CommandAsync("show", "counters", "--json"), Is.EqualTo((0,
            """{"received":0,"replicated":0,"originated":0,"segmented":0,"sent":0,"coalesced":0,"drops":{},"unaccounted":0}""" + "\n", "")));
        foreach (string table in new[] { "status", "domains", "ports", "peers", "fdb", "counters" })
        {
            (int exitCode, string output, string errors) = await daemon.CommandAsync("show", table);
            Assert.That((exitCode, errors), Is.EqualTo((0, "")), table);
            Assert.That(output, Does.Not.Contain('\u001b').And.Not.Empty, table);
        }
    }

    [Test]
    public async Task Fdb_IsChangedByCommands()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string[] where = ["--vni", "100", "--mac", "02:00:5e:10:00:09"];

        Assert.That(await daemon.CommandAsync(["fdb", "add", .. where, "--vtep", "198.18.0.2"]), Is.EqualTo((0, "", "")));
        Assert.That(await daemon.CommandAsync("show", "fdb", "--json"), Is.EqualTo((0,
            """[{"vni":100,"mac":"02:00:5e:10:00:09","kind":"static","port":null,"vtep":"198.18.0.2:4789","ageSeconds":0}]""" + "\n", "")));
        Assert.That((await daemon.CommandAsync(["fdb", "add", .. where, "--port", "tap-blue"])).ExitCode, Is.EqualTo(1), "it is there already");
        Assert.That(await daemon.CommandAsync(["fdb", "add", .. where, "--port", "tap-blue", "--replace"]), Is.EqualTo((0, "", "")));
        Assert.That((await daemon.CommandAsync("show", "fdb", "--vni", "100", "--json")).Output, Does.Contain("\"port\":\"tap-blue\""));
        Assert.That(await daemon.CommandAsync(["fdb", "del", .. where]), Is.EqualTo((0, "", "")));
        Assert.That(await daemon.CommandAsync("show", "fdb", "--json"), Is.EqualTo((0, "[]\n", "")));
        Assert.That((await daemon.CommandAsync(["fdb", "del", .. where])).ExitCode, Is.EqualTo(1), "it is gone");
    }

    [Test]
    public async Task CommandThatMakesNoSense_IsExitCodeTwo_WithASentence()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);

        Assert.That(await daemon.CommandAsync("show", "fdb", "--vni", "x"), Is.EqualTo((2, "", "'x' is no VNI; write a number from 0 to 16777215.\n")));
        Assert.That(await daemon.CommandAsync("fdb", "add", "--vni", "-1", "--mac", "02:00:5e:10:00:09"), Is.EqualTo((2, "",
            "--vni: '-1' is no VNI; write a number from 0 to 16777215.\n")));
        Assert.That(await daemon.CommandAsync("fdb", "del", "--vni", "1", "--mac", "2:0"), Is.EqualTo((2, "",
            "--mac: '2:0' is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.\n")));
        Assert.That(await daemon.CommandAsync("fdb", "add", "--vni", "100", "--mac", "02:00:5e:10:00:09", "--vtep", "host"), Is.EqualTo((2, "",
            "'host' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472.\n")));
    }

    [Test]
    public async Task Reload_AppliesTheDifference()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);

        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("tap-blue", "tap-new", StringComparison.Ordinal));

        Assert.That(await daemon.CommandAsync("reload"), Is.EqualTo((0, $"Reloaded {daemon.ConfigPath}: 1 domain changed.\n", "")));
        Assert.That((await daemon.CommandAsync("show", "ports", "--json")).Output, Does.Contain("tap-new").And.Not.Contain("tap-blue"));
    }

    [Test]
    public async Task ReloadOfABrokenFile_GivesEveryError_AndChangesNothing()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string before = (await daemon.CommandAsync("show", "domains", "--json")).Output;

        await File.WriteAllTextAsync(daemon.ConfigPath, "{ \"underlay\": {},\n  \"workers\": -1 }");
        (int exitCode, string output, string errors) = await daemon.CommandAsync("reload");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(errors, Is.EqualTo($"""
            The configuration was not reloaded; the old one is still in force.
            {daemon.ConfigPath}:1:1: $: the key "bridgeDomains" is missing; add "bridgeDomains": [ ... ]
            {daemon.ConfigPath}:1:15: $.underlay: exactly one of "local" and "interface" must be there; give this host's address or the interface that has it
            {daemon.ConfigPath}:2:14: $.workers: -1 is out of range; it must be 0 to 256

            """));
        Assert.That((await daemon.CommandAsync("show", "domains", "--json")).Output, Is.EqualTo(before));
    }

    [Test]
    public async Task ReloadOfWhatIsPinned_SaysRestart()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);

        await File.WriteAllTextAsync(daemon.ConfigPath, file
            .Replace("\"workers\": 1", "\"workers\": 2", StringComparison.Ordinal)
            .Replace("1000", "2000", StringComparison.Ordinal)
            .Replace("\"local\": \"198.18.0.1\"", "\"local\": \"198.18.0.9\", \"port\": 8472, \"udpChecksum\": false", StringComparison.Ordinal));
        (int exitCode, _, string errors) = await daemon.CommandAsync("reload");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(errors, Is.EqualTo($"""
            The configuration was not reloaded; the old one is still in force.
            {daemon.ConfigPath}: $.workers: changed from 1 to 2; restart vtep for that, or undo it
            {daemon.ConfigPath}: $.fdb.capacity: changed from 1000 to 2000; restart vtep for that, or undo it
            {daemon.ConfigPath}: $.underlay.local: changed from 198.18.0.1 to 198.18.0.9; restart vtep for that, or undo it
            {daemon.ConfigPath}: $.underlay.port: changed from 4789 to 8472; restart vtep for that, or undo it
            {daemon.ConfigPath}: $.underlay.udpChecksum: changed from true to false; restart vtep for that, or undo it

            """));
    }

    [Test]
    public async Task ReloadWithOtherControllers_SaysRestart()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);

        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("\"workers\": 1",
            "\"workers\": 1, \"controllers\": { \"main\": { \"file\": { \"path\": \"/d.json\", \"node\": \"h1\" } } }", StringComparison.Ordinal));
        (int exitCode, _, string errors) = await daemon.CommandAsync("reload");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(errors, Is.EqualTo($"""
            The configuration was not reloaded; the old one is still in force.
            {daemon.ConfigPath}: $.controllers.main: added; restart vtep for that, or undo it

            """));
    }

    [Test]
    public async Task DirectoryCommands_NeedAController()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        const string None = "There is no controller; describe one in \"controllers\" of the configuration.\n";

        Assert.That(await daemon.CommandAsync("release"), Is.EqualTo((2, "", None)));
        Assert.That(await daemon.CommandAsync("directory", "accept", "--controller", "main"), Is.EqualTo((2, "", None)));
        Assert.That(await daemon.CommandAsync("directory", "add", "--node", "h2", "--vtep", "198.18.0.2"), Is.EqualTo((2, "", None)));
        Assert.That(await daemon.CommandAsync("directory", "del", "--node", "h2", "--vtep"), Is.EqualTo((2, "", None)));
        Assert.That(await daemon.CommandAsync("directory", "add", "--node", "h 2"), Is.EqualTo((2, "",
            "'h 2' is no node id; use 1 to 64 letters, digits, dots, hyphens and underscores, like h1.\n")));
        Assert.That((await AskAsync(daemon, HttpMethod.Delete, "/v1/directory?vni=7")).Status, Is.EqualTo(400));
        Assert.That((await AskAsync(daemon, HttpMethod.Post, "/v1/directory", "null")).Status, Is.EqualTo(400));
        Assert.That((await AskAsync(daemon, HttpMethod.Post, "/v1/directory/release", "")).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task ReloadThatTheMachineRefuses_KeepsTheOldConfiguration()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string file = await File.ReadAllTextAsync(daemon.ConfigPath);
        daemon.Host.Refusals["tap-new"] = "Operation not permitted.";

        await File.WriteAllTextAsync(daemon.ConfigPath, file.Replace("tap-blue", "tap-new", StringComparison.Ordinal));
        (int exitCode, _, string errors) = await daemon.CommandAsync("reload");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("tap-new").And.Contain("Operation not permitted."));
        Assert.That((await daemon.CommandAsync("show", "ports", "--json")).Output, Does.Contain("tap-blue").And.Not.Contain("tap-new"));
    }

    [Test]
    public async Task Api_AnswersErrorsAsProblems()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);

        Assert.That(await AskAsync(daemon, HttpMethod.Get, "/v2/status"), Is.EqualTo((404, "application/problem+json",
            """{"title":"Not found","status":404,"detail":"There is no GET \u0027/v2/status\u0027 here; did you mean /v1/status?","errors":null}""")));
        Assert.That((await AskAsync(daemon, HttpMethod.Post, "/v1/fdb", "{")).Status, Is.EqualTo(400));
        Assert.That((await AskAsync(daemon, HttpMethod.Post, "/v1/fdb", "null")).Status, Is.EqualTo(400));
        Assert.That((await AskAsync(daemon, HttpMethod.Delete, "/v1/fdb?vni=1")).Status, Is.EqualTo(400));
        Assert.That(await AskAsync(daemon, HttpMethod.Put, "/v1/fdb"), Is.EqualTo((405, "application/problem+json",
            """{"title":"Wrong method","status":405,"detail":"/v1/fdb can\u0027t be asked with \u0027PUT\u0027; use GET, POST, DELETE.","errors":null}""")));
        string tooMuch = $$"""{"vni":100,"mac":"{{new string(' ', ControlApi.MaxRequestBody)}}"}""";
        Assert.That(await AskAsync(daemon, HttpMethod.Post, "/v1/fdb", tooMuch), Is.EqualTo((413, "application/problem+json",
            """{"title":"Bad request","status":413,"detail":"The request\u0027s body is larger than 16384 bytes; nothing that can be said here needs more.","errors":null}""")));
        Assert.That((await AskAsync(daemon, HttpMethod.Get, "/v1/status")).Status, Is.EqualTo(200), "it is alive after all that");
    }

    [Test]
    public async Task Socket_MayBeConnectedToByAll_AndIsGoneAfterwards()
    {
        InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string socket = daemon.Socket;

        Assert.That(new FileInfo(socket).UnixFileMode, Is.EqualTo((UnixFileMode)0b110_110_110));
        Assert.That(new DirectoryInfo(Path.GetDirectoryName(socket)!).UnixFileMode, Is.EqualTo((UnixFileMode)0b111_101_101));
        await daemon.StopAsync();
        Assert.That(daemon.IsStopped);
        Assert.That(Directory.Exists(Path.GetDirectoryName(socket)), Is.False, "it was made by the daemon");
        (int exitCode, _, string errors) = await daemon.CommandAsync("show", "status");
        Assert.That((exitCode, errors), Is.EqualTo((3,
            $"No vtep is listening on {socket}: there is no such socket; start it with vtep run --config FILE, or name its socket with --socket.\n")));
        await daemon.DisposeAsync();
    }

    [Test]
    public async Task SocketOfALivingVtep_IsNotTaken()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);

        Assert.That(() => ControlSocket.Claim(daemon.Socket), Throws.InstanceOf<VtepException>().With.Message.EqualTo(
            $"Another vtep is listening on {daemon.Socket}. Stop it, or give control.socket another path."));
        Assert.That((await daemon.CommandAsync("show", "status")).ExitCode, Is.Zero);
    }

    [Test]
    public void SocketOfADeadVtep_IsReplaced_ButNothingElseIs()
    {
        using var folder = new TemporaryFolder();
        string stale = folder.File("stale.sock");
        string file = folder.File("file");
        File.WriteAllText(file, "");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(stale));
            File.Move(stale, stale + ".kept");
        }

        File.Move(stale + ".kept", stale);
        using (ControlSocket claimed = ControlSocket.Claim(stale))
        {
            using Socket bound = claimed.Bind();
            Assert.That(bound.IsBound);
        }

        Assert.That(File.Exists(stale), Is.False);
        Assert.That(() => ControlSocket.Claim(file), Throws.InstanceOf<VtepException>().With.Message.Contains("something else is there"));
        Assert.That(() => ControlSocket.Claim(folder.Path), Throws.InstanceOf<VtepException>().With.Message.Contains("something else is there"));
        Assert.That(File.Exists(file));
    }

    [Test]
    public void StartThatTheMachineRefuses_LeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        string socket = folder.File("run/vtep.sock");
        var config = new DaemonConfig(new VtepConfig { Underlay = new() { Local = InetAddress.Parse("198.18.0.1") } }, socket);
        var host = new DaemonHost(folder.File("vtep.jsonc"), config, (_, _) => throw new VtepException("UDP port 4789 is taken."));

        Assert.That(async () => await host.RunAsync(), Throws.InstanceOf<VtepException>().With.Message.EqualTo("UDP port 4789 is taken."));
        Assert.That(Directory.Exists(Path.GetDirectoryName(socket)), Is.False);
    }

    [Test]
    public void SocketWhereNothingCanBeWritten_IsOneSentence() =>
        Assert.That(() => ControlSocket.Claim("/proc/vtep-test/vtep.sock"),
            Throws.InstanceOf<VtepException>().With.Message.StartsWith("The control socket /proc/vtep-test/vtep.sock can't be made: "));

    private static async Task<(int Status, string? Type, string Body)> AskAsync(InMemoryDaemon daemon, HttpMethod method, string path, string? body = null)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.Socket), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var http = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version11 };
        using var request = new HttpRequestMessage(method, $"http://vtep{path}")
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using HttpResponseMessage response = await http.SendAsync(request);
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
    }
}
