// The dashboard's routes of the daemon in process: what they answer, to whom, and with which protection. The page in a browser is a system test.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.Daemon.Dashboard;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class DashboardApiTests
{
    private static readonly int s_port = FreePort();

    private static string Config(string dashboard = ", \"dashboard\": true", string domains = "") => $$"""
        {
          "workers": 1, "control": { "socket": "SOCKET", "http": "127.0.0.1:{{s_port}}"{{dashboard}} },
          "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [
            { "name": "</script><b>", "vni": 100, "ports": [ { "tap": "tap-blue" } ], "discovery": { "static": { "peers": [ "198.18.0.2", "198.18.0.3" ] } },
              "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.2" } ] },
            { "name": "red", "vni": 200, "ports": [ { "tap": "tap-red" } ], "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }{{domains}} ]
        }
        """;

    [Test]
    public async Task ThePage_AndAllItConsistsOf_IsServed_WithAPolicyThatLetsNothingElseIn()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        string page = await client.GetStringAsync("/");
        string[] parts = [.. page.Split('"').Where(text => text.StartsWith("/dashboard/", StringComparison.Ordinal))];
        Assert.That(parts, Has.Length.EqualTo(3));
        Assert.That(page, Does.Not.Contain("<style").And.Not.Contain("http://w").And.Not.Contain("https://").And.Not.Match(@"\son\w+=|\sstyle="));
        foreach (string path in parts.Prepend("/").Concat(["/dashboard/state", "/dashboard/fdb", "/dashboard/reasons"]))
        {
            using HttpResponseMessage answer = await client.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
            Assert.That(Header(answer, "Content-Security-Policy"), Does.StartWith("default-src 'none'; script-src 'self';").And.Contain("frame-ancestors 'none'").And.Not.Contain("unsafe"), path);
            Assert.That((Header(answer, "X-Content-Type-Options"), Header(answer, "Cache-Control"), Header(answer, "Referrer-Policy"), Header(answer, "Cross-Origin-Resource-Policy")),
                Is.EqualTo(("nosniff", "no-store", "no-referrer", "same-origin")), path);
        }
    }

    [Test]
    public async Task EveryModule_ThatAModuleAsksFor_IsThere()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        var seen = new HashSet<string>();
        var next = new Queue<string>(["page.js"]);
        while (next.TryDequeue(out string? name))
        {
            if (!seen.Add(name))
                continue;
            string text = await client.GetStringAsync("/dashboard/" + name);
            Assert.That(text, Does.Not.Contain("innerHTML").And.Not.Contain("eval(").And.Not.Contain("insertAdjacentHTML").And.Not.Contain("document.write"), name);
            foreach (string line in text.Split('\n').Where(line => line.StartsWith("import ", StringComparison.Ordinal)))
                next.Enqueue(line.Split("\"./")[1].TrimEnd('"', ';', '\r'));
        }

        Assert.That(seen, Has.Count.EqualTo(6));
    }

    [Test]
    public async Task State_IsWhatTheCommandsSay()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        JsonNode state = await JsonAsync(client, "/dashboard/state");
        Assert.That(state["status"]!.ToJsonString(), Is.EqualTo(await ShowAsync(daemon, "status")));
        Assert.That(state["peers"]!.ToJsonString(), Is.EqualTo(await ShowAsync(daemon, "peers")));
        Assert.That(state["ports"]!.ToJsonString(), Is.EqualTo(await ShowAsync(daemon, "ports")));
        Assert.That(state["counters"]!.ToJsonString(), Is.EqualTo(await ShowAsync(daemon, "counters")));
        Assert.That(state["domains"]!.AsArray().Select(domain => (string)domain!["domain"]!["name"]!), Is.EqualTo(new[] { "</script><b>", "red" }));
        Assert.That((int)state["domains"]![0]!["atPorts"]!["count"]!, Is.EqualTo(1));
        Assert.That((state["stall"], (int)state["nextMilliseconds"]!), Is.EqualTo(((JsonNode?)null, PollCost.Interval)));
    }

    [Test]
    public async Task State_SaysWhatStandsStill_AndIsTheSameForAllWhoAskAtOnce()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        daemon.Stall = "Worker 1 has not moved for 3 s.";
        using HttpClient client = OverTcp();
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.GetStringAsync("/dashboard/state")));
        Assert.That((string?)JsonNode.Parse(answers[0])!["stall"], Is.EqualTo(daemon.Stall));
        Assert.That(answers.Distinct().Count(), Is.LessThanOrEqualTo(2));
    }

    [Test]
    public async Task State_IsBounded_HoweverManyDomainsThereAre()
    {
        string many = string.Concat(Enumerable.Range(0, 300).Select(i => $$""", { "name": "n{{i}}", "vni": {{1000 + i}}, "discovery": { "static": { "peers": [ "198.18.1.{{i % 250}}" ] } } }"""));
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config(domains: many));
        using HttpClient client = OverTcp();
        JsonNode state = await JsonAsync(client, "/dashboard/state");
        Assert.That((state["domains"]!.AsArray().Count, (int)state["status"]!["bridgeDomains"]!), Is.EqualTo((StateReader.MostDomains, 302)));
        Assert.That((state["peers"]!.AsArray().Count, (int)state["status"]!["peers"]!), Is.EqualTo((StateReader.MostPeers, 252)));
    }

    [Test]
    public async Task Fdb_IsSearchedOnTheServer_AndBounded()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        VtepEndpoint behind = new(InetAddress.Parse("198.18.0.3"), 4789);
        for (ulong i = 0; i < 1200; i++)
            Assert.That(daemon.Vtep.AddFdb(new Vni(200), new MacAddress(0x0200_5E20_0000 + i), behind, null), Is.Null);

        JsonNode all = await JsonAsync(client, "/dashboard/fdb?find=02:00:5e:20");
        Assert.That(((int)all["found"]!, all["entries"]!.AsArray().Count), Is.EqualTo((1200, DashboardApi.MostEntries)));
        Assert.That((string?)all["entries"]![0]!["mac"], Is.EqualTo("02:00:5e:20:00:00"));
        JsonNode one = await JsonAsync(client, "/dashboard/fdb?find=vtep:198.18.0.2");
        Assert.That(one["entries"]!.ToJsonString(),
            Is.EqualTo("""[{"vni":100,"mac":"02:00:5e:10:00:01","kind":"static","port":null,"vtep":"198.18.0.2:4789","ageSeconds":0}]"""));
        Assert.That((int)(await JsonAsync(client, "/dashboard/fdb?find=nowhere"))["found"]!, Is.Zero);
        using HttpResponseMessage tooLong = await client.GetAsync("/dashboard/fdb?find=" + new string('a', DashboardApi.LongestSearch + 1));
        Assert.That(tooLong.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task EveryReason_IsExplained()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        JsonObject reasons = (await JsonAsync(client, "/dashboard/reasons")).AsObject();
        Assert.That(reasons.Select(reason => reason.Key), Is.EqualTo(DropReasonText.All.ToArray().Select(reason => reason.Name())));
        Assert.That(reasons.Select(reason => (string)reason.Value!), Has.All.EndsWith(".").And.All.Length.GreaterThan(10));
    }

    [Test]
    public async Task APageOfAnotherSite_GetsNothing_UnlessSomebodyFollowsItsLink()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        foreach ((string path, string site, string mode, string dest, HttpStatusCode expected) in new[]
        {
            ("/", "none", "navigate", "document", HttpStatusCode.OK),
            ("/", "cross-site", "navigate", "document", HttpStatusCode.OK),
            ("/", "cross-site", "navigate", "iframe", HttpStatusCode.Forbidden),
            ("/dashboard/state", "same-origin", "cors", "empty", HttpStatusCode.OK),
            ("/dashboard/state", "cross-site", "no-cors", "script", HttpStatusCode.Forbidden),
            ("/dashboard/fdb", "same-site", "cors", "empty", HttpStatusCode.Forbidden),
            ("/metrics", "cross-site", "no-cors", "image", HttpStatusCode.Forbidden),
        })
        {
            using HttpClient client = OverTcp();
            client.DefaultRequestHeaders.Add("Sec-Fetch-Site", site);
            client.DefaultRequestHeaders.Add("Sec-Fetch-Mode", mode);
            client.DefaultRequestHeaders.Add("Sec-Fetch-Dest", dest);
            using HttpResponseMessage answer = await client.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(expected), $"{path} {site} {mode} {dest}");
        }
    }

    [Test]
    public async Task ANameAsHost_OrAnotherMethod_IsRefused()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config());
        using HttpClient client = OverTcp();
        foreach (string path in new[] { "/", "/dashboard/state", "/dashboard/fdb" })
        {
            using var rebound = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "evil.example" } };
            using HttpResponseMessage misdirected = await client.SendAsync(rebound);
            Assert.That(misdirected.StatusCode, Is.EqualTo(HttpStatusCode.MisdirectedRequest), path);
            using HttpResponseMessage posted = await client.PostAsync(path, new StringContent(""));
            Assert.That(posted.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), path);
        }

        Assert.That(await (await client.GetAsync("/v1/status")).Content.ReadAsStringAsync(), Does.Contain("over TCP there are GET /metrics, GET /healthz and GET /, the rest is on the unix socket."));
    }

    [Test]
    public async Task WithoutBeingAskedFor_ThereIsNoDashboard_AndTheAnswerSaysHowToAsk()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config(dashboard: ""));
        using HttpClient client = OverTcp();
        foreach (string path in new[] { "/", "/dashboard/state", "/dashboard/fdb", "/dashboard/page.js" })
        {
            using HttpResponseMessage answer = await client.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), path);
        }

        string said = (string)JsonNode.Parse(await (await client.GetAsync("/")).Content.ReadAsStringAsync())!["detail"]!;
        Assert.That(said, Does.EndWith("the rest is on the unix socket. The dashboard is off; \"dashboard\": true in the configuration's control turns it on."));
    }

    [Test]
    public void APage_AsksMoreSeldom_WhenAnswersAreDear()
    {
        var cost = new PollCost();
        cost.Take(TimeSpan.FromMilliseconds(300)); // compiled on its first run
        Assert.That(cost.NextMilliseconds, Is.EqualTo(1000));
        for (int i = 0; i < 4; i++)
            cost.Take(TimeSpan.FromMilliseconds(25 + i));
        Assert.That(cost.NextMilliseconds, Is.EqualTo(2500));
    }

    private static HttpClient OverTcp() => new() { BaseAddress = new Uri($"http://127.0.0.1:{s_port}") };

    private static async Task<JsonNode> JsonAsync(HttpClient client, string path) => JsonNode.Parse(await client.GetStringAsync(path))!;

    private static async Task<string> ShowAsync(InMemoryDaemon daemon, string what) => JsonNode.Parse((await daemon.CommandAsync("show", what, "--json")).Output)!.ToJsonString();

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : "";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
