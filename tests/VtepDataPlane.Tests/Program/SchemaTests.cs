// The JSON schema against the reader: what the reader takes, the schema takes; what the schema lets pass though the reader doesn't is of
// a kind that no schema can express, listed below. Keys, defaults, choices and ranges are compared through the reader and the writer, so
// that neither side can get a key the other doesn't have.

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Json.Schema;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed partial class SchemaTests
{
    private const string EveryKey = """
        {
          "workers": 1, "control": { "socket": "/s", "http": "127.0.0.1:9478", "dashboard": true, "otlp": "http://127.0.0.1:4317" }, "fdb": { "capacity": 4096 },
          "underlay": { "local": "fd00::1", "port": 4790, "udpChecksum": false, "acceptZeroChecksumIPv6": true, "learnedPeerLimit": 3, "learnedPeerAgeing": 4 },
          "controllers": {
            "main": { "etcd": {
              "endpoints": [ "https://198.18.0.100:2379" ], "prefix": "/v", "node": "h1", "leaseSeconds": 9, "user": "u", "passwordFile": "/p",
              "tls": { "ca": "/ca", "certificate": "/c", "key": "/k" }, "cache": "/x", "allowedVteps": [ "fd00::/8" ], "keepOnStop": true } },
            "files": { "file": { "path": "/d", "node": "h1", "allowedVteps": [ "fd00::/8" ] } } },
          "bridgeDomains": [
            { "name": "a", "vni": 1, "learning": false, "ageing": 7, "fdbLimit": 8, "ttl": 9, "dscp": 10, "df": "unset", "ecn": "rfc6040", "reservedBits": "linux",
              "innerVlan": "drop",
              "ports": [ { "tap": "t", "mtu": 1400, "mac": "02:00:5e:10:00:01", "bridge": "br0", "addresses": [ "198.19.0.1/24" ] } ],
              "discovery": { "static": { "peers": [ "fd00::2" ] } },
              "fdb": [ { "mac": "02:00:5e:10:00:02", "vtep": "fd00::2" }, { "mac": "02:00:5e:10:00:03", "port": "t" } ] },
            { "name": "b", "vni": 2, "discovery": { "multicast": { "group": "ff05::1", "interface": "eth0", "ttl": 3 } } },
            { "name": "c", "vni": 3, "discovery": { "controller": {
              "name": "main", "mode": "lookup", "suppressNeighbors": false, "learnFromPeers": true, "floodUnknown": false, "lookupsPerSecond": 7, "lookupTimeout": 50,
              "positiveSeconds": 8, "negativeSeconds": 9 } } } ]
        }
        """;

    // Read but not written: they are no configuration of the VTEP, can stand in for another key, or belong to a part that is still to come.
    private static readonly string[] s_unwritten = ["$schema", "underlay.interface"];

    private static readonly JsonDocumentOptions s_jsonc = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };
    private static readonly JsonElement s_text = JsonDocument.Parse(SchemaCommand.Text()).RootElement;
    private static readonly JsonSchema s_schema = JsonSchema.FromText(SchemaCommand.Text());

    [Test]
    public void Schema_IsValidItself() => Assert.That(MetaSchemas.Draft202012.Evaluate(s_text).IsValid);

    [Test]
    public void EveryKey_HasADescription_AndAnExampleThatIsValid()
    {
        foreach ((string path, JsonElement key) in Keys())
        {
            JsonElement described = key.TryGetProperty("description", out _) ? key : Resolve(key);
            Assert.That(described.TryGetProperty("description", out _), $"{path} is described");
            Assert.That(described.TryGetProperty("examples", out JsonElement examples), $"{path} has an example");
            string wrapped = $$"""{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/it", "$defs": { "it": {{key}}, {{Definitions()}} } }""";
            var alone = JsonSchema.FromText(wrapped);
            Assert.That(examples.EnumerateArray().All(example => alone.Evaluate(example).IsValid), $"the example of {path}");
        }
    }

    [Test]
    public void Samples_AreValid() => Assert.That(IsValid(File.ReadAllText(Repository.File("samples/vtep.jsonc"))));

    [Test]
    public void WhatIsWritten_IsValid() => RandomConfigurations.Any.Sample(config =>
        Assert.That(IsValid(Encoding.UTF8.GetString(ConfigWriter.Write(config)))), iter: 500);

    [Test]
    public void Keys_AreTheReadersAndTheWriters()
    {
        Assert.That(Config(EveryKey), Is.Not.Null);
        string written = Encoding.UTF8.GetString(ConfigWriter.Write(Config(EveryKey)!));
        string[] keys = [.. Keys().Select(key => key.Path)];

        Assert.That(Paths(JsonNode.Parse(written)!).Order(), Is.EqualTo(keys.Except(s_unwritten).Order()));
        Assert.That(Paths(JsonNode.Parse(EveryKey)!).Order(), Is.EqualTo(keys.Except(s_unwritten).Order()), "the test says every key");
        foreach ((string path, _) in Keys().Where(key => key.Path.Contains('.', StringComparison.Ordinal)))
        {
            string[] problems = ProblemsWith(path, JsonValue.Create(false));
            Assert.That(problems.Where(problem => problem.Contains("unknown key", StringComparison.Ordinal)), Is.Empty, path);
        }
    }

    [Test]
    public void Defaults_AreTheReaders()
    {
        JsonNode written = JsonNode.Parse(ConfigWriter.Write(Config("""
            { "underlay": { "local": "198.18.0.1" },
              "controllers": { "m": { "etcd": { "endpoints": [ "http://e:2379" ], "prefix": "/v", "node": "h1" } }, "f": { "file": { "path": "/d", "node": "h1" } } },
              "bridgeDomains": [ { "name": "b", "vni": 2, "discovery": { "multicast": { "group": "239.1.1.1", "interface": "eth0" } } },
                { "name": "a", "vni": 1, "ports": [ { "tap": "t" } ], "discovery": { "controller": { "name": "m" } } } ] }
            """)!))!;
        int compared = 0;
        foreach ((string path, JsonElement key) in Keys().Where(key => key.Schema.TryGetProperty("default", out _) && key.Path is not ("control.http" or "control.otlp" or "controllers")))
        {
            Assert.That(JsonNode.DeepEquals(Find(written, path), JsonNode.Parse(key.GetProperty("default").GetRawText())), path);
            compared++;
        }

        Assert.That(compared, Is.GreaterThan(30));
    }

    [Test]
    public void Ranges_AreTheReaders()
    {
        int compared = 0;
        foreach ((string path, JsonElement key) in Keys())
        {
            JsonElement range = key.TryGetProperty("anyOf", out JsonElement kinds) ? kinds[0] : key;
            if (!range.TryGetProperty("minimum", out JsonElement min))
                continue;
            int low = min.GetInt32(), high = range.GetProperty("maximum").GetInt32();
            foreach ((int value, bool isIn) in new[] { (low, true), (high, true), (low - 1, false), (high + 1, false) })
                Assert.That(ProblemsWith(path, JsonValue.Create(value)).Any(problem => problem.Contains("out of range", StringComparison.Ordinal)), Is.EqualTo(!isIn), $"{path}: {value}");
            compared++;
        }

        Assert.That(compared, Is.EqualTo(17));
    }

    [Test]
    public void Choices_AreTheReaders()
    {
        (string Path, JsonElement Schema)[] choices = [.. Keys().Where(key => key.Schema.TryGetProperty("enum", out _))];
        Assert.That(choices, Has.Length.EqualTo(5));
        foreach ((string path, JsonElement key) in choices)
        {
            string said = ProblemsWith(path, JsonValue.Create("quux")).Single(problem => problem.Contains("is not known here", StringComparison.Ordinal));
            string[] readers = [.. Word().Matches(said).Select(match => match.Groups[1].Value)];
            Assert.That(readers, Is.EqualTo(key.GetProperty("enum").EnumerateArray().Where(word => word.ValueKind == JsonValueKind.String).Select(word => word.GetString())), path);
        }
    }

    [Test]
    public void AnyKeyWithAnyValue_IsJudgedByTheSchemaAsByTheReader()
    {
        string[] values = ["null", "true", "-1", "0", "1", "2147483648", "1.5", "\"\"", "\"x\"", "\"198.18.0.7\"", "\"fd00::7\"", "\"/x/y\"", "\"inherit\"", "[]", "[ 1 ]", "{}", "{ \"x\": 1 }"];
        foreach ((string path, _) in Keys())
        {
            foreach (string value in values)
                AssertAgree(With(path, JsonNode.Parse(value)), $"{path}: {value}");
            AssertAgree(Without(path), $"{path} left out");
        }
    }

    [TestCaseSource(typeof(BrokenConfigurations), nameof(BrokenConfigurations.All))]
    public void BrokenConfiguration_IsNotValid_OrNoSchemaCanSayWhy(string json, string[] expected)
    {
        if (expected.All(line => line.Contains("this is no JSON", StringComparison.Ordinal) || line.Contains("the file is empty", StringComparison.Ordinal)))
            Assert.That(() => JsonDocument.Parse(json, s_jsonc with { MaxDepth = 16 }), Throws.InstanceOf<JsonException>());
        else
            Assert.That(!IsValid(json) || expected.All(line => Inexpressible().IsMatch(line)), string.Join('\n', expected));
    }

    // What takes comparing values with each other, bits, bytes, or what a word means.
    [GeneratedRegex(@"is already at|there twice; remove one|own address|the underlay has one address family|there is no controller|the domain has no port"
        + @"|is not a host's address|is link-local|bytes; an interface's name|bytes; a unix socket|with no bit set behind its length|can't be printed"
        + @"|the MTU \d+ is (out of range|too small)|a file is known as a whole|is not encrypted|don't fit into|is the port itself|is another port|is a port of this VTEP"
        + @"|without point or exponent|is no loopback address|is no endpoint|no /etc/machine-id")]
    private static partial Regex Inexpressible();

    [GeneratedRegex("\"([a-z0-9]+)\"")]
    private static partial Regex Word();

    private static void AssertAgree(JsonNode document, string what)
    {
        string json = document.ToJsonString();
        ConfigResult result = ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json));
        bool isValid = IsValid(json);
        if (result.Config is not null)
            Assert.That(isValid, $"{what} is taken by the reader");
        else if (isValid)
            Assert.That(result.Errors.All(error => Inexpressible().IsMatch(error.Message)), $"{what} is taken by the schema, but: {string.Join('\n', result.Errors)}");
    }

    private static bool IsValid(string json)
    {
        using var document = JsonDocument.Parse(json, s_jsonc);
        return s_schema.Evaluate(document.RootElement).IsValid;
    }

    private static DaemonConfig? Config(string json) => ConfigFile.Parse("f", Encoding.UTF8.GetBytes(json)).Config;

    private static string[] ProblemsWith(string path, JsonNode? value) =>
        [.. ConfigFile.Parse("f", Encoding.UTF8.GetBytes(With(path, value).ToJsonString())).Problems.Select(problem => problem.ToString())];

    // --- the schema's keys, as paths: bridgeDomains[].ports[].tap, controllers.*.etcd.prefix ---

    private static IEnumerable<(string Path, JsonElement Schema)> Keys() => KeysOf(s_text, "");

    private static IEnumerable<(string Path, JsonElement Schema)> KeysOf(JsonElement schema, string path)
    {
        JsonElement at = Resolve(schema);
        if (at.TryGetProperty("items", out JsonElement items))
            return KeysOf(items, path + "[]");
        if (at.TryGetProperty("additionalProperties", out JsonElement any) && any.ValueKind == JsonValueKind.Object)
            return KeysOf(any, path + ".*");
        return !at.TryGetProperty("properties", out JsonElement properties) ? []
            : properties.EnumerateObject().SelectMany(property =>
            {
                string name = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
                return KeysOf(property.Value, name).Prepend((name, property.Value));
            });
    }

    private static JsonElement Resolve(JsonElement schema) => schema.TryGetProperty("$ref", out JsonElement reference)
        ? s_text.GetProperty("$defs").GetProperty(reference.GetString()!["#/$defs/".Length..]) : schema;

    private static string Definitions() =>
        string.Join(", ", s_text.GetProperty("$defs").EnumerateObject().Select(definition => $"\"{definition.Name}\": {definition.Value}"));

    // --- the same paths in a document ---

    private static IEnumerable<string> Paths(JsonNode node) => PathsOf(node, "").Distinct();

    private static IEnumerable<string> PathsOf(JsonNode? node, string path)
    {
        if (node is JsonArray list)
            return list.SelectMany(item => PathsOf(item, path + "[]"));
        return node is not JsonObject members ? [] : members.SelectMany(member =>
        {
            if (path == "controllers")
                return PathsOf(member.Value, "controllers.*");
            string name = path.Length == 0 ? member.Key : $"{path}.{member.Key}";
            return PathsOf(member.Value, name).Prepend(name);
        });
    }

    private static JsonNode? Find(JsonNode root, string path) => Parents(root, path).Select(found => found.Parent[found.Key]).FirstOrDefault();

    private static JsonNode With(string path, JsonNode? value)
    {
        JsonNode root = JsonNode.Parse(EveryKey)!;
        List<(JsonObject Parent, string Key)> found = [.. Parents(root, path)];
        (JsonObject parent, string key) = found.Count > 0 ? found[0] : Nearest(root, path);
        parent[key] = value;
        return root;
    }

    private static JsonNode Without(string path)
    {
        JsonNode root = JsonNode.Parse(EveryKey)!;
        foreach ((JsonObject parent, string key) in Parents(root, path).ToList())
            parent.Remove(key);
        return root;
    }

    // A key that isn't in the document stands beside those that are.
    private static (JsonObject Parent, string Key) Nearest(JsonNode root, string path)
    {
        int dot = path.LastIndexOf('.');
        return dot < 0 ? (root.AsObject(), path) : (Parents(root, path[..dot]).Select(found => found.Parent[found.Key]!.AsObject()).First(), path[(dot + 1)..]);
    }

    private static IEnumerable<(JsonObject Parent, string Key)> Parents(JsonNode root, string path)
    {
        IEnumerable<JsonNode?> at = [root];
        string[] steps = path.Split('.');
        foreach (string step in steps[..^1])
            at = at.SelectMany(node => Members(node, step));
        return at.OfType<JsonObject>().Where(parent => parent.ContainsKey(steps[^1])).Select(parent => (parent, steps[^1]));
    }

    private static IEnumerable<JsonNode?> Members(JsonNode? node, string step)
    {
        if (node is not JsonObject members)
            return [];
        if (step == "*")
            return members.Select(member => member.Value);
        JsonNode? member = members[step.TrimEnd('[', ']')];
        return step.EndsWith(']') ? (member as JsonArray)?.AsEnumerable() ?? [] : Enumerable.Repeat(member, 1);
    }
}
