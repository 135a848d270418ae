// A controller in the configuration of a VTEP under test, written out key by key as LabDomain is.

using System.Text.Json.Nodes;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A controller: an etcd, or a file.</summary>
/// <param name="Name">What domains call it.</param>
internal sealed record LabController(string Name)
{
    /// <summary>Members of an etcd cluster.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>A file instead.</summary>
    public string? File { get; init; }

    /// <summary>Further keys of the etcd or the file, such as "leaseSeconds".</summary>
    public IReadOnlyDictionary<string, JsonNode> Keys { get; init; } = new Dictionary<string, JsonNode>();

    /// <summary>As the configuration of <paramref name="host"/> has it; node ids are h1, h2, ...</summary>
    public JsonObject ToJson(LabHost host, string folder)
    {
        JsonObject source = File is not null ? new JsonObject { ["path"] = File } : new JsonObject
        {
            ["endpoints"] = new JsonArray([.. Endpoints.Select(endpoint => JsonValue.Create(endpoint))]),
            ["prefix"] = "/vtep/v1/lab",
            ["cache"] = Path.Combine(folder, "main.cache"),
        };
        source["node"] = $"h{host.Number}";
        foreach ((string key, JsonNode value) in Keys)
            source[key] = value.DeepClone();
        return new JsonObject { [File is not null ? "file" : "etcd"] = source };
    }
}
