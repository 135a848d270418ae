// The control API and what nobody should send it: wrong callers, half requests, floods, nonsense. Each is answered with what to do,
// or cut, and others don't notice.

using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Control;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ControlBoundsTests
{
    private const uint ReaderGroup = 901;
    private const string Config = """
        {
          "workers": 1, "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [ { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue" } ], "discovery": { "static": { "peers": [] } } } ]
        }
        """;

    private static readonly ControlAccess s_access = new(900, name => name == "vtep" ? ReaderGroup : null, TimeProvider.System);
    private static readonly Caller s_stranger = new(1, 1000, [1000]);
    private static readonly Caller s_reader = new(1, 1001, [ReaderGroup]);

    [Test]
    public async Task Stranger_IsRefusedEverything_WithTheRemedy()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, _ => s_stranger, s_access);

        Assert.That(await daemon.CommandAsync("show", "status"), Is.EqualTo((1, "",
            "uid 1000 may not ask this vtep. Use root, or join group vtep: usermod -aG vtep USER, and log in again.\n")));
        Assert.That((await daemon.CommandAsync("reload")).Errors, Does.StartWith("uid 1000 may not change this vtep. Use root, or make group vtep-admin"));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("GET", "/openapi.json")), Does.StartWith("HTTP/1.1 403 "));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("GET", "/nothing")), Does.StartWith("HTTP/1.1 403 "), "not even what there is");
    }

    [Test]
    public async Task Reader_Reads_AndChangesNothing()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, _ => s_reader, s_access);

        Assert.That((await daemon.CommandAsync("show", "fdb", "--json")), Is.EqualTo((0, "[]\n", "")));
        Assert.That((await daemon.CommandAsync("diff")).ExitCode, Is.Zero);
        foreach (string[] change in (string[][])[["reload"], ["fdb", "add", "--vni", "100", "--mac", "02:00:5e:10:00:09", "--vtep", "198.18.0.2"],
            ["fdb", "del", "--vni", "100", "--mac", "02:00:5e:10:00:09"], ["release"], ["directory", "accept"]])
        {
            (int exitCode, _, string errors) = await daemon.CommandAsync(change);
            Assert.That((exitCode, errors), Is.EqualTo((1, "uid 1001 may read, but not change, this vtep. Use root, or make group vtep-admin, which doesn't exist "
                + "here: groupadd --system vtep-admin; then join it: usermod -aG vtep-admin USER, and log in again.\n")), change[0]);
        }

        Assert.That((await daemon.CommandAsync("show", "fdb", "--json")).Output, Is.EqualTo("[]\n"));
    }

    [Test]
    public async Task FortyConnectionsOfStrangers_LeaveTheOthersTheirs()
    {
        int accepted = 0;
        const int Crowd = 40;
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(
            Config, _ => Interlocked.Increment(ref accepted) <= Crowd + 1 ? s_stranger : s_reader, s_access);
        var crowd = new List<RawHttp>();
        for (int i = 0; i < Crowd; i++)
            crowd.Add(await RawHttp.ConnectAsync(daemon.Socket));

        await UntilAsync(() => Task.FromResult(Volatile.Read(ref accepted) > Crowd));
        Assert.That((await daemon.CommandAsync("show", "status", "--json")).ExitCode, Is.Zero);
        string[] told = await Task.WhenAll(crowd.Select(connection => connection.ReadToEndAsync()));
        Assert.That(told.Count(IsTold), Is.GreaterThanOrEqualTo(Crowd - ConnectionBudget.PerStranger));
        crowd.ForEach(connection => connection.Dispose());
    }

    [Test]
    public async Task OneUserWithThirtyThreeConnections_IsTold_AndServedAgainLater()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config, _ => s_reader, s_access);
        var crowd = new List<RawHttp>();
        for (int i = 0; i < 33; i++)
            crowd.Add(await RawHttp.ConnectAsync(daemon.Socket));

        string[] told = await Task.WhenAll(crowd.Select(connection => connection.ReadToEndAsync()));
        crowd.ForEach(connection => connection.Dispose());

        Assert.That(told.Count(IsTold), Is.GreaterThanOrEqualTo(33 - ConnectionBudget.PerUser));
        await UntilAsync(async () => (await daemon.CommandAsync("show", "status")).ExitCode == 0);
    }

    [Test]
    public async Task HalfRequests_AreCutAfterFiveSeconds_AndOthersAreServedMeanwhile()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string[] halves = ["", "GET /v1/status HTT", "GET /v1/status HTTP/1.1\r\nHost: v", Request("POST", "/v1/fdb", "Content-Type: application/json\r\nContent-Length: 100\r\n") + "{\"vni\":"];
        long start = Stopwatch.GetTimestamp();
        Task<string>[] cut = [.. halves.Select(half => RawHttp.AskAsync(daemon.Socket, half))];

        while (!Task.WhenAll(cut).IsCompleted && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2))
            Assert.That((await daemon.CommandAsync("show", "status")).ExitCode, Is.Zero);
        Assert.That(cut.Count(task => task.IsCompleted), Is.Zero, "nobody is cut at once");
        string[] said = await Task.WhenAll(cut).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.That(said[0], Is.Empty, "said nothing, gets nothing");
        Assert.That(said[1..3], Is.All.StartsWith("HTTP/1.1 408 "));
        Assert.That(said[3], Does.StartWith("HTTP/1.1 408 ").And.Contains("send it at once"));
    }

    [Test]
    public async Task BodyOfAMebibyte_IsTooLarge()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string body = $$"""{"vni":100,"mac":"{{new string('x', 1 << 20)}}"}""";

        Assert.That(await PostAsync(daemon, body), Does.StartWith("HTTP/1.1 413 ").And.Contains("larger than 16384 bytes"));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("POST", "/v1/fdb", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
            + string.Concat(Enumerable.Repeat($"1000\r\n{new string(' ', 4096)}\r\n", 256)) + "0\r\n\r\n"), Does.StartWith("HTTP/1.1 413 "));
        Assert.That((await daemon.CommandAsync("show", "status")).ExitCode, Is.Zero);
    }

    [Test]
    public async Task TenThousandNestedArrays_AreTooDeep()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);

        Assert.That(await PostAsync(daemon, new string('[', 10_000)), Does.StartWith("HTTP/1.1 400 ").And.Contains("32"));
        Assert.That(await PostAsync(daemon, $"{{\"vni\":{new string('[', 33)}{new string(']', 33)}}}"), Does.StartWith("HTTP/1.1 400 ").And.Contains("32"));
    }

    [TestCase("""{"vni":100}""", "The request lacks the member mac; give it.")]
    [TestCase("""{"vni":100,"mca":"02:00:5e:10:00:01"}""", "The request has a member 'mca' that isn't known; did you mean mac?")]
    [TestCase("""{"vni":100,"colour":1}""", "The request has a member 'colour' that isn't known; it may have vni, mac, vtep, port, replace.")]
    [TestCase("""{"vni":100,"vni":101,"mac":"02:00:5e:10:00:01"}""", "The request has the member vni 2 times; give it once.")]
    [TestCase("""{"vni":100,"mac":7}""", "A string is expected here.")]
    [TestCase("""[]""", "The request's body must be an object with vni, mac, vtep, port, replace.")]
    [TestCase("""null""", "The request's body must be an object with vni, mac, vtep, port, replace.")]
    public async Task BodyThatMakesNoSense_IsExplained_WithoutTypesOfTheProgram(string body, string sentence)
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string answer = await PostAsync(daemon, body);

        Assert.That(answer, Does.StartWith("HTTP/1.1 400 ").And.Contains(sentence.Replace("'", "\\u0027", StringComparison.Ordinal)));
        Assert.That(answer, Does.Not.Contain("VtepDataPlane"));
    }

    [TestCase("GET", "/v1/fdb?vin=100", 400, "GET /v1/fdb has no parameter 'vin'; did you mean vni?")]
    [TestCase("GET", "/v1/status?all", 400, "GET /v1/status has no parameter 'all'; it has none.")]
    [TestCase("DELETE", "/v1/fdb?colour=1", 400, "DELETE /v1/fdb has no parameter 'colour'; it has vni, mac, vtep.")]
    [TestCase("GET", "/v1/fdb?vni=1&vni=2", 400, "The parameter vni is there 2 times; give it once.")]
    [TestCase("PATCH", "/v1/fdb", 405, "/v1/fdb can't be asked with 'PATCH'; use GET, POST, DELETE.")]
    [TestCase("HEAD", "/v1/status", 405, "")]
    [TestCase("POST", "/v1/openapi", 404, "see /openapi.json for what there is.")]
    [TestCase("GET", "/v1/statsu", 404, "did you mean /v1/status?")]
    [TestCase("GET", "/%1b%5b31m", 404, "")]
    public async Task RequestThatMeansNothing_IsExplained(string method, string path, int status, string sentence)
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string answer = await RawHttp.AskAsync(daemon.Socket, Request(method, path));

        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} ").And.Contains(sentence.Replace("'", "\\u0027", StringComparison.Ordinal)));
        Assert.That(answer, Does.Not.Contain('\u001b'));
        if (status == 405)
            Assert.That(answer, Does.Contain("\r\nAllow: GET"));
    }

    [Test]
    public async Task BodyThatIsNoJson_IsNotTaken_AndOneWithoutATypeIs()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        const string Body = """{"vni":100,"mac":"02:00:5e:10:00:09","vtep":"198.18.0.2"}""";
        string length = $"Content-Length: {Body.Length}\r\n";

        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("POST", "/v1/fdb", $"Content-Type: text/plain\r\n{length}") + Body),
            Does.StartWith("HTTP/1.1 415 ").And.Contains("application/json"));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("POST", "/v1/fdb", length) + Body), Does.StartWith("HTTP/1.1 204 "));
    }

    [Test]
    public async Task HeaderFloods_AreCut()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        string many = string.Concat(Enumerable.Range(0, 1_000).Select(i => $"X-{i}: y\r\n"));

        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("GET", "/v1/status", many)), Does.StartWith("HTTP/1.1 431 "));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("GET", "/v1/status", $"X: {new string('y', 1 << 20)}\r\n")), Does.StartWith("HTTP/1.1 431 "));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, Request("GET", "/" + new string('y', 1 << 20))), Does.StartWith("HTTP/1.1 414 "));
        Assert.That(await RawHttp.AskAsync(daemon.Socket, "\u0016\u0003\u0001 what is this\r\n\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That((await daemon.CommandAsync("show", "status")).ExitCode, Is.Zero);
    }

    [Test]
    public async Task OldAndImpatientClients_AreServed()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config);
        const string Old = "GET /v1/counters HTTP/1.0\r\n\r\n";
        string pipelined = "GET /v1/fdb HTTP/1.1\r\nHost: vtep\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: vtep\r\n\r\n" + Request("GET", "/v1/counters");

        Assert.That(await RawHttp.AskAsync(daemon.Socket, Old), Does.Contain(" 200 OK").And.Contains("\"received\""));
        string answers = await RawHttp.AskAsync(daemon.Socket, pipelined);
        Assert.That(answers.Split("HTTP/1.1 200 OK"), Has.Length.EqualTo(4));
        Assert.That(answers.IndexOf("\"fdbCapacity\"", StringComparison.Ordinal), Is.LessThan(answers.IndexOf("\"received\"", StringComparison.Ordinal)));
    }

    [Test]
    public async Task EveryChange_IsOneLineInTheLog_AndReadingIsNone()
    {
        var log = new Lines();
        var root = new Caller(42, 0, [0]);
        await CheckAsync(root, "GET", "/v1/fdb", log);
        await CheckAsync(root, "DELETE", "/v1/fdb?vni=1&mac=\u001b[31m", log, StatusCodes.Status204NoContent);
        await CheckAsync(s_reader, "POST", "/v1/reload", log);

        Assert.That(log.All, Is.EqualTo(new[]
        {
            @"Control: uid 0, pid 42: DELETE /v1/fdb?vni=1&mac=\u001b[31m: 204 done",
            "Control: uid 1001, pid 1: POST /v1/reload: 403 uid 1001 may read, but not change, this vtep. Use root, or make group vtep-admin, which doesn't "
                + "exist here: groupadd --system vtep-admin; then join it: usermod -aG vtep-admin USER, and log in again.",
        }));
    }

    [Test]
    public async Task ChangeThatThrows_IsLoggedAsFailed()
    {
        var log = new Lines();
        var door = new ControlDoor(s_access, Caller.Of);
        DefaultHttpContext context = Context(new Caller(42, 0, [0]), "POST", "/v1/reload");

        Assert.That(async () => await door.CheckAsync(context, _ => throw new InvalidOperationException(), log), Throws.InvalidOperationException);
        Assert.That(log.All, Is.EqualTo(new[] { "Control: uid 0, pid 42: POST /v1/reload: failed" }));
    }

    [Test]
    public async Task Strangers_CannotFillTheLog()
    {
        var log = new Lines();
        var door = new ControlDoor(s_access, Caller.Of);
        for (int i = 0; i < 1_000; i++)
            await door.CheckAsync(Context(s_stranger, "POST", "/v1/reload"), _ => Task.CompletedTask, log);

        Assert.That(log.All, Has.Count.InRange(10, 20), "ten a minute; a minute may end meanwhile");
    }

    [TestCase("/v1/status", 403)]
    [TestCase("/v1", 403)]
    [TestCase("/openapi.json", 403)]
    [TestCase("/metrics", 200)]
    public async Task ConnectionOverTcp_NeverReachesTheControlApi(string path, int status) =>
        Assert.That(await CheckAsync(null, "GET", path, new Lines()), Is.EqualTo(status));

    private static async Task<int> CheckAsync(Caller? caller, string method, string path, Lines log, int status = StatusCodes.Status200OK)
    {
        DefaultHttpContext context = Context(caller, method, path);
        await new ControlDoor(s_access, Caller.Of).CheckAsync(context, next =>
        {
            next.Response.StatusCode = status;
            return Task.CompletedTask;
        }, log);
        return context.Response.StatusCode;
    }

    private static DefaultHttpContext Context(Caller? caller, string method, string path)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(caller);
        context.Request.Method = method;
        context.Request.Path = path.Split('?')[0];
        context.Request.QueryString = path.Contains('?', StringComparison.Ordinal) ? new QueryString(path[path.IndexOf('?', StringComparison.Ordinal)..]) : default;
        return context;
    }

    private static bool IsTold(string answer) =>
        answer.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal) && answer.Contains("as many connections as it takes", StringComparison.Ordinal);

    private static string Request(string method, string path, string headers = "") => $"{method} {path} HTTP/1.1\r\nHost: vtep\r\nConnection: close\r\n{headers}\r\n";

    private static Task<string> PostAsync(InMemoryDaemon daemon, string body) =>
        RawHttp.AskAsync(daemon.Socket, Request("POST", "/v1/fdb", $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n") + body);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
