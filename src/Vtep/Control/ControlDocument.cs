// The OpenAPI 3.1 document of the control API, made of the table of routes. Schemas are exported from the generated serializers, so
// they are what is really written: a type of ours is a named schema; a type with a converter of ours (ControlJson) is described
// here, for the exporter can't look into one. Descriptions are those of the snapshot records' own documentation, which the build
// embeds (Descriptions.xslt), and the Description attributes of the requests.

using System.ComponentModel;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>Describes the control API.</summary>
internal sealed class ControlDocument
{
    private readonly Dictionary<string, string> _descriptions = Descriptions();
    private readonly JsonObject _schemas = [];
    private readonly JsonSchemaExporterOptions _options;

    private ControlDocument() => _options = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };

    /// <summary>The document as JSON.</summary>
    public static byte[] Write(IReadOnlyList<ControlRoute> routes) => Encoding.UTF8.GetBytes(new ControlDocument().Whole(routes).ToJsonString());

    private JsonObject Whole(IReadOnlyList<ControlRoute> routes)
    {
        var paths = new JsonObject();
        foreach (IGrouping<string, ControlRoute> path in routes.GroupBy(route => route.Path))
            paths[path.Key] = new JsonObject(path.Select(route => KeyValuePair.Create<string, JsonNode?>(route.Method.ToLowerInvariant(), Operation(route))));
        JsonNode problem = Schema(ControlJson.Default.ControlProblem);
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "vtep control API",
                ["version"] = DaemonHost.Version,
                ["description"] = $"HTTP over the daemon's unix socket. Root and members of group {ControlAccess.Admins} may change, "
                    + $"members of group {ControlAccess.Readers} may use GET.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "http://vtep", ["description"] = "Any name will do: curl --unix-socket PATH http://vtep/..." }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = _schemas,
                ["responses"] = new JsonObject { ["problem"] = Content("Why not, and the remedy.", "application/problem+json", problem) },
            },
        };
    }

    private JsonObject Operation(ControlRoute route)
    {
        var operation = new JsonObject { ["summary"] = route.Summary, ["operationId"] = OperationId(route) };
        if (route.Query.Count > 0)
            operation["parameters"] = new JsonArray([.. route.Query.Select(Parameter)]);
        if (route.Request is { } request)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Media("application/json", Schema(request)) };
        }

        operation["responses"] = new JsonObject
        {
            [route.Answer is null && route.AnswerText is null ? "204" : "200"] = Answer(route),
            ["default"] = new JsonObject { ["$ref"] = "#/components/responses/problem" },
        };
        return operation;
    }

    private JsonObject Answer(ControlRoute route)
    {
        const string WhatWasAsked = "What was asked for.";
        return route.Answer is { } type ? Content(WhatWasAsked, "application/json", Schema(type))
            : route.AnswerText is { } text ? Content(WhatWasAsked, text, new JsonObject { ["type"] = "string" })
            : new JsonObject { ["description"] = "Done." };
    }

    // GET /v1/directory/diff: getDirectoryDiff.
    private static string OperationId(ControlRoute route) => route.Method.ToLowerInvariant() + string.Concat(
        route.Path.Replace("/v1", "", StringComparison.Ordinal).Split('/', '.').Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private JsonNode Parameter(ControlParameter parameter) => new JsonObject
    {
        ["name"] = parameter.Name,
        ["in"] = "query",
        ["required"] = parameter.Required,
        ["description"] = parameter.Description,
        ["schema"] = Schema(parameter.Type),
    };

    private static JsonObject Content(string description, string type, JsonNode schema) =>
        new() { ["description"] = description, ["content"] = Media(type, schema) };

    private static JsonObject Media(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private JsonNode Schema(JsonTypeInfo type) => type.GetJsonSchemaAsNode(_options);

    // Called for every type and member, the inner ones first.
    private JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        Type type = context.TypeInfo.Type;
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        JsonNode described = Converted(bare, bare != type) ?? schema;
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Dictionary && context.TypeInfo.KeyType == typeof(DropReason) && described is JsonObject counts)
            counts["propertyNames"] = new JsonObject { ["enum"] = Reasons() };
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object && described is JsonObject whole)
            described = Named(context.TypeInfo, whole);
        if (context.PropertyInfo is { } member && described is JsonObject shown && Text(member) is { } text)
            shown["description"] = text;
        return described;
    }

    // The counterpart of the converters of ControlJson; null: the type has none.
    private static JsonObject? Converted(Type type, bool nullable) => type.Name switch
    {
        nameof(Vni) => new JsonObject { ["type"] = Kind("integer", nullable), ["minimum"] = 0, ["maximum"] = Vni.MaxValue },
        nameof(MacAddress) => Matching("^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$", nullable),
        nameof(InetAddress) => Matching("^[0-9A-Fa-f:.]+$", nullable: true),
        nameof(VtepEndpoint) => Matching(@"^([0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$", nullable),
        nameof(DropReason) => new JsonObject { ["type"] = Kind("string", nullable), ["enum"] = Reasons(nullable) },
        _ => null,
    };

    private static JsonObject Matching(string pattern, bool nullable) => new() { ["type"] = Kind("string", nullable), ["pattern"] = pattern };

    private static JsonNode Kind(string kind, bool nullable) => nullable ? new JsonArray(kind, "null") : JsonValue.Create(kind);

    private static JsonArray Reasons(bool nullable = false)
    {
        IEnumerable<JsonNode?> names = DropReasonText.All.ToArray().Select(reason => (JsonNode?)JsonValue.Create(reason.Name()));
        return new JsonArray([.. nullable ? names.Append(null) : names]);
    }

    private JsonObject Named(JsonTypeInfo info, JsonObject schema)
    {
        // A type that comes a second time in one schema is a reference to its first place, which is a reference to the named one.
        if (schema["properties"] is JsonObject properties)
        {
            foreach (JsonPropertyInfo member in info.Properties)
                Complete(member, properties);
            if (_descriptions.GetValueOrDefault($"T:{info.Type.FullName}") is { } text)
                schema["description"] = text;
            _schemas[info.Type.Name] = schema;
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{info.Type.Name}" };
    }

    // The exporter doesn't ask about a member that has a converter of ours and a default: it says the default and nothing else.
    private void Complete(JsonPropertyInfo member, JsonObject properties)
    {
        Type? bare = Nullable.GetUnderlyingType(member.PropertyType);
        if (properties[member.Name] is not JsonObject { Count: 1 } said || !said.ContainsKey("default")
            || Converted(bare ?? member.PropertyType, bare is not null) is not { } schema)
            return;
        schema["default"] = said["default"]?.DeepClone();
        schema["description"] = Text(member);
        properties[member.Name] = schema;
    }

    // Members are in camel case in JSON, so names are compared without case.
    private string? Text(JsonPropertyInfo member) => _descriptions.GetValueOrDefault($"P:{member.DeclaringType.FullName}.{member.Name}");

    private static Dictionary<string, string> Descriptions() => EmbeddedDescriptions.Read().Concat(Attributed()).ToDictionary(StringComparer.OrdinalIgnoreCase);

    // Requests and answers of the program are described where they are declared. Each is named here, so that trimming leaves their members be.
    private static IEnumerable<KeyValuePair<string, string>> Attributed()
    {
        MemberInfo[] members =
        [
            typeof(FdbRequest), .. typeof(FdbRequest).GetProperties(), typeof(DirectoryRequest), .. typeof(DirectoryRequest).GetProperties(),
            typeof(ControllerRequest), .. typeof(ControllerRequest).GetProperties(), typeof(ControlProblem), .. typeof(ControlProblem).GetProperties(),
            typeof(ConfigFileAnswer), .. typeof(ConfigFileAnswer).GetProperties(), typeof(ReloadAnswer), .. typeof(ReloadAnswer).GetProperties(),
            typeof(ConfigPlan), .. typeof(ConfigPlan).GetProperties(), typeof(DomainPlan), .. typeof(DomainPlan).GetProperties(),
            typeof(CaptureRequest), .. typeof(CaptureRequest).GetProperties(), typeof(CaptureStatus), .. typeof(CaptureStatus).GetProperties(),
            typeof(Explained), .. typeof(Explained).GetProperties(), typeof(ExplainedStep), .. typeof(ExplainedStep).GetProperties(),
            typeof(ExplainedOutcome), .. typeof(ExplainedOutcome).GetProperties(),
            typeof(PlanChange), .. typeof(PlanChange).GetProperties(),
        ];
        foreach (MemberInfo member in members)
        {
            string id = member is Type type ? $"T:{type.FullName}" : $"P:{member.DeclaringType!.FullName}.{member.Name}";
            if (member.GetCustomAttribute<DescriptionAttribute>() is { } said)
                yield return KeyValuePair.Create(id, said.Description);
        }
    }
}
