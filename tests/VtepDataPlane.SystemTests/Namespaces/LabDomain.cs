// The configuration of a VTEP under test, as a test says it, and the JSON file made of it. It is written out key by key, not by
// serializing the program's own types, so that a key renamed by accident is found here.

using System.Net;
using System.Text.Json.Nodes;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>One bridge domain in the configuration of a VTEP under test.</summary>
internal sealed record LabDomain(string Name, int Vni)
{
    /// <summary>Its only TAP.</summary>
    public string Tap => $"tap-{Name}";

    /// <summary>Static discovery; null with <see cref="Group"/>.</summary>
    public IReadOnlyList<IPAddress>? Peers { get; init; }

    /// <summary>Multicast discovery on eth0; null with <see cref="Peers"/>.</summary>
    public IPAddress? Group { get; init; }

    /// <summary>The controller; null with <see cref="Peers"/> or <see cref="Group"/>.</summary>
    public LabController? Controller { get; init; }

    /// <summary>Further keys of the domain's controller, such as "mode".</summary>
    public IReadOnlyDictionary<string, JsonNode> ControllerKeys { get; init; } = new Dictionary<string, JsonNode>();

    /// <summary>Addresses of the TAP are those of this overlay (third byte of 198.19.0.0/24).</summary>
    public int Overlay { get; init; }

    /// <summary>Further keys of the domain, such as "ageing".</summary>
    public IReadOnlyDictionary<string, JsonNode> Keys { get; init; } = new Dictionary<string, JsonNode>();

    /// <summary>Further keys of the port, such as "mtu".</summary>
    public IReadOnlyDictionary<string, JsonNode> PortKeys { get; init; } = new Dictionary<string, JsonNode>();

    /// <summary>The station it makes of <paramref name="host"/>.</summary>
    public Station StationOn(LabHost host) => host.Station(Tap, Overlay);

    /// <summary>The whole file.</summary>
    public static string File(LabHost host, string socket, IReadOnlyCollection<LabDomain> domains)
    {
        var file = new JsonObject
        {
            ["workers"] = 2,
            ["control"] = new JsonObject { ["socket"] = socket },
            ["underlay"] = new JsonObject { ["local"] = $"{host.Underlay}" },
            ["bridgeDomains"] = new JsonArray([.. domains.Select(domain => domain.ToJson(host))]),
        };
        var controllers = new JsonObject();
        foreach (LabController controller in domains.Select(domain => domain.Controller).OfType<LabController>().Distinct())
            controllers[controller.Name] = controller.ToJson(host, Path.GetDirectoryName(socket)!);
        if (controllers.Count > 0)
            file["controllers"] = controllers;
        return file.ToJsonString();
    }

    private JsonObject ToJson(LabHost host)
    {
        var port = new JsonObject { ["tap"] = Tap, ["addresses"] = Strings(StationOn(host).Prefixes) };
        Copy(PortKeys, port);
        var domain = new JsonObject { ["name"] = Name, ["vni"] = Vni, ["ports"] = new JsonArray(port), ["discovery"] = Discovery() };
        Copy(Keys, domain);
        return domain;
    }

    private JsonObject Discovery() => Controller is not null ? ByController(Controller) : Group is null
        ? new JsonObject { ["static"] = new JsonObject { ["peers"] = Strings((Peers ?? []).Select(peer => $"{peer}")) } }
        : new JsonObject { ["multicast"] = new JsonObject { ["group"] = $"{Group}", ["interface"] = "eth0", ["ttl"] = 1 } };

    private JsonObject ByController(LabController controller)
    {
        var discovery = new JsonObject { ["name"] = controller.Name };
        Copy(ControllerKeys, discovery);
        return new JsonObject { ["controller"] = discovery };
    }

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private static void Copy(IReadOnlyDictionary<string, JsonNode> keys, JsonObject target)
    {
        foreach ((string key, JsonNode value) in keys)
            target[key] = value.DeepClone();
    }
}
