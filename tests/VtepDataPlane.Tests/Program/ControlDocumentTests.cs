// The OpenAPI document says what the control API does: the same routes, and answers that fit their schemas.

using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ControlDocumentTests
{
    private const string Config = """
        {
          "workers": 1, "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" },
          "controllers": { "local": { "file": { "path": "DIRECTORY", "node": "h1" } } },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue" } ], "discovery": { "static": { "peers": [ "198.18.0.2" ] } } },
            { "name": "red", "vni": 200, "ports": [ { "tap": "tap-red" } ], "discovery": { "multicast": { "group": "239.1.1.200", "interface": "eth0" } } },
            { "name": "green", "vni": 300, "ports": [ { "tap": "tap-green" } ], "discovery": { "controller": { "name": "local", "mode": "watch" } } } ]
        }
        """;

    private const string Directory = """
        { "version": 1, "nodes": [
          { "node": "h2", "vtep": "198.18.0.2", "vnis": [ 300 ],
            "stations": [ { "vni": 300, "mac": "02:00:5e:10:00:02", "ips": [ "198.19.0.2" ] } ] } ] }
        """;

    private static readonly string[] s_methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];

    [Test]
    public void EveryEndpoint_IsInTheDocument_AndTheOtherWayRound()
    {
        IReadOnlyList<ControlRoute> routes = Routes();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        WebApplication app = builder.Build();
        ControlRoute.Map(app, routes);
        IEnumerable<string?> endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.RawText).Where(path => !path!.Contains('{', StringComparison.Ordinal));

        Assert.That(Document(routes)["paths"]!.AsObject().Select(path => path.Key), Is.EquivalentTo(endpoints));
        Assert.That(Operations(Document(routes)), Is.EquivalentTo(routes.Select(route => $"{route.Method} {route.Path}")));
    }

    [Test]
    public async Task EveryMethodThatIsNotInTheDocument_Is405_AndOneThatIsIsNot()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config.Replace("DIRECTORY", "/nowhere.json", StringComparison.Ordinal));
        JsonNode document = Document(Routes());
        string[] known = [.. Operations(document)];
        foreach (string path in document["paths"]!.AsObject().Select(path => path.Key))
        {
            foreach (string method in s_methods)
            {
                string answer = await RawHttp.AskAsync(daemon.Socket, $"{method} {path} HTTP/1.1\r\nHost: vtep\r\nConnection: close\r\n\r\n");
                Assert.That(answer.StartsWith("HTTP/1.1 405 ", StringComparison.Ordinal), Is.EqualTo(!known.Contains($"{method} {path}")), $"{method} {path}: {answer}");
                Assert.That(answer, Does.Not.StartWith("HTTP/1.1 404 ").And.Not.StartWith("HTTP/1.1 500 "));
            }
        }
    }

    [Test]
    public void Document_IsValidOpenApi()
    {
        ReadResult result = OpenApiDocument.Parse(Document(Routes()).ToJsonString(), "json");

        Assert.That(result.Diagnostic!.Errors.Select(error => error.ToString()), Is.Empty);
        Assert.That(result.Diagnostic.Warnings.Select(warning => warning.ToString()), Is.Empty);
        Assert.That(result.Diagnostic.SpecificationVersion, Is.EqualTo(OpenApiSpecVersion.OpenApi3_1));
        Assert.That(result.Document!.Paths["/v1/fdb"].Operations, Has.Count.EqualTo(3));
        Assert.That(result.Document.Components!.Schemas!.Keys, Does.Contain("FdbSnapshot").And.Contains("FdbRequest").And.Contains("ControlProblem"));
    }

    [Test]
    public void EveryTypeAndMember_IsDescribed()
    {
        foreach ((string name, JsonNode? schema) in Document(Routes())["components"]!["schemas"]!.AsObject())
        {
            Assert.That((string?)schema!["description"], Does.EndWith("."), name);
            foreach ((string member, JsonNode? property) in schema["properties"]!.AsObject())
                Assert.That((string?)property!["description"], Is.Not.Null.And.Not.Empty.And.Not.Contains("\n"), $"{name}.{member}");
        }
    }

    [Test]
    public void TypesOfOurs_HaveTheirRanges()
    {
        JsonNode fdb = Document(Routes())["components"]!["schemas"]!["FdbSnapshot"]!["properties"]!;

        Assert.That(fdb["vni"]!.ToJsonString(), Is.EqualTo("""{"type":"integer","minimum":0,"maximum":16777215,"description":"Its domain."}"""));
        Assert.That((string?)fdb["mac"]!["pattern"], Is.EqualTo("^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"));
        Assert.That(fdb["vtep"]!["type"]!.ToJsonString(), Is.EqualTo("""["string","null"]"""));
    }

    [Test]
    public async Task EveryAnswer_FitsItsSchema()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("directory.json"), Directory);
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config.Replace("DIRECTORY", folder.File("directory.json"), StringComparison.Ordinal));
        Assert.That(await daemon.CommandAsync("fdb", "add", "--vni", "100", "--mac", "02:00:5e:10:00:09", "--vtep", "198.18.0.2"), Is.EqualTo((0, "", "")));
        JsonNode document = JsonNode.Parse(await BodyAsync(daemon, "/openapi.json"))!;
        Assert.That(JsonNode.DeepEquals(document, Document(Routes())));
        foreach (string path in Operations(document).Where(operation => operation.StartsWith("GET ", StringComparison.Ordinal)).Select(operation => operation[4..]))
        {
            JsonNode content = document["paths"]![path]!["get"]!["responses"]!["200"]!["content"]!;
            string query = path == "/v1/explain" ? "?vni=100&frame=ffffffffffff02005e10000188b5" : ""; // what it requires
            string body = await BodyAsync(daemon, path + query);
            if (content["application/json"] is { } json)
                AssertFits(document, json["schema"]!, body, path);
            else
                Assert.That(body, Is.Not.Empty, path);
        }

        AssertFits(document, Schema("ControlProblem"), await BodyAsync(daemon, "/v1/fdb?vni=x"), "an error");
        Assert.That(await BodyAsync(daemon, "/v1/fdb"), Does.Contain("02:00:5e:10:00:09"));
    }

    [Test]
    public void AnswersWithEverythingInThem_FitTheirSchemas_AndWrongOnesDont()
    {
        JsonNode document = Document(Routes());
        Dictionary<DropReason, long> drops = DropReasonText.All.ToArray().ToDictionary(reason => reason, reason => 1L);
        var counters = new CounterSnapshot(1, 2, 3, 4, 5, 6, drops);
        var content = new DirectoryContentSnapshot(
            [new("main", "mac", "h2", new Vni(100), MacAddress.Parse("02:00:5e:10:00:01"), "198.19.0.2", "[fd00::2]:4789", 3, true, 5, true, false, "x")],
            [new("main", "k", "KeyUnknown", "x", 9)]);
        string written = JsonSerializer.Serialize(counters, ControlJson.Default.CounterSnapshot);

        AssertFits(document, Schema("CounterSnapshot"), written, "counters");
        AssertFits(document, Schema("DirectoryContentSnapshot"), JsonSerializer.Serialize(content, ControlJson.Default.DirectoryContentSnapshot), "directory");
        foreach (string wrong in new[] { written.Replace("\"vni_not_found\"", "\"colour\"", StringComparison.Ordinal), written.Replace("\"sent\":5,", "", StringComparison.Ordinal),
            written.Replace("\"sent\":5", "\"sent\":\"5\"", StringComparison.Ordinal), written.Replace("\"sent\"", "\"x\":1,\"sent\"", StringComparison.Ordinal) })
        {
            Assert.That(Fits(document, Schema("CounterSnapshot"), wrong), Is.False, wrong);
        }
    }

    private static JsonObject Schema(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    private static void AssertFits(JsonNode document, JsonNode schema, string json, string what) =>
        Assert.That(Fits(document, schema, json), $"{what}: {json} against {schema.ToJsonString()}");

    // A schema refers to others of the document; as JSON schema they are its definitions.
    private static bool Fits(JsonNode document, JsonNode schema, string json)
    {
        var whole = (JsonObject)schema.DeepClone();
        whole["$defs"] = document["components"]!["schemas"]!.DeepClone();
        string text = whole.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        using JsonDocument instance = JsonDocument.Parse(json);
        return JsonSchema.FromText(text).Evaluate(instance.RootElement).IsValid;
    }

    private static async Task<string> BodyAsync(InMemoryDaemon daemon, string path)
    {
        string answer = await RawHttp.AskAsync(daemon.Socket, $"GET {path} HTTP/1.0\r\n\r\n");
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }

    private static IEnumerable<string> Operations(JsonNode document) => document["paths"]!.AsObject()
        .SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}"));

    private static JsonNode Document(IReadOnlyList<ControlRoute> routes) => JsonNode.Parse(ControlDocument.Write(routes))!;

    private static IReadOnlyList<ControlRoute> Routes()
    {
        var local = InetAddress.Parse("198.18.0.1");
        var vtep = new Vtep(new VtepConfig { Underlay = new() { Local = local } }, new MemoryHost(new MemoryNetwork(), local), seed: 1, nowMilliseconds: 0);
        var dataPlane = new DataPlane(vtep, () => 0, _ => Task.CompletedTask, () => ValueTask.CompletedTask);
        var config = new ConfigApi("/f", () => new DaemonConfig(vtep.Config, "/s"), () => Task.FromResult(ReloadResult.Refused([])));
        return new ControlApi(dataPlane, config, new MetricsApi(new MetricsReader(vtep), dataPlane)).Routes;
    }
}
