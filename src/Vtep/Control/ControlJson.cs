// JSON of the control API and of `vtep show --json`, which are the same. Names are those of the snapshot records in camel case;
// addresses, MACs and endpoints are strings as people write them, a VNI is a number, drop reasons are snake-case keys.
// Descriptions are those of the OpenAPI document. Serializers are generated at compile time, so that ahead-of-time compilation needs no reflection.

using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

[Description("What is asked for when an FDB entry is added.")]
internal sealed record FdbRequest(
    [property: Description("The domain.")] Vni Vni,
    [property: Description("The station; all zeros: the flood list.")] MacAddress Mac,
    [property: Description("The VTEP it is behind, or null.")] string? Vtep = null,
    [property: Description("The local port it is behind, or null.")] string? Port = null,
    [property: Description("Overwrite an entry that is there.")] bool Replace = false);

[Description("An error in the form of RFC 9457.")]
internal sealed record ControlProblem(
    [property: Description("In general.")] string Title,
    [property: Description("The HTTP status.")] int Status,
    [property: Description("What failed, on which object, and the remedy.")] string Detail,
    [property: Description("All errors, where there can be several.")] IReadOnlyList<string>? Errors = null);

/// <summary>The generated serializers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = ControlJson.Depth,
    RespectRequiredConstructorParameters = true,
    Converters =
    [
        typeof(MacConverter), typeof(VniConverter), typeof(AddressConverter), typeof(EndpointConverter), typeof(DropReasonConverter),
    ])]
[JsonSerializable(typeof(VtepSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<DomainSnapshot>))]
[JsonSerializable(typeof(IReadOnlyList<PortSnapshot>))]
[JsonSerializable(typeof(IReadOnlyList<PeerSnapshot>))]
[JsonSerializable(typeof(IReadOnlyList<FdbSnapshot>))]
[JsonSerializable(typeof(IReadOnlyList<NeighborSnapshot>))]
[JsonSerializable(typeof(CounterSnapshot))]
[JsonSerializable(typeof(DirectoryContentSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<DirectoryDifference>))]
[JsonSerializable(typeof(CaptureRequest))]
[JsonSerializable(typeof(IReadOnlyList<CaptureStatus>))]
[JsonSerializable(typeof(Explained))]
[JsonSerializable(typeof(ControllerRequest))]
[JsonSerializable(typeof(DirectoryRequest))]
[JsonSerializable(typeof(FdbRequest))]
[JsonSerializable(typeof(ControlProblem))]
[JsonSerializable(typeof(Vni))]
[JsonSerializable(typeof(MacAddress))]
[JsonSerializable(typeof(InetAddress))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>How deep JSON may be nested.</summary>
    public const int Depth = 32;
}

/// <summary><c>"02:00:5e:10:00:01"</c>.</summary>
internal sealed class MacConverter : JsonConverter<MacAddress>
{
    public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string text = JsonText.Read(ref reader);
        return MacAddress.TryParse(text, out MacAddress mac) ? mac
            : throw new JsonException($"{VtepConfigRules.Quote(text)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.");
    }

    public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary>A number.</summary>
internal sealed class VniConverter : JsonConverter<Vni>
{
    public override Vni Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int number) && VtepConfigRules.VniRange.Contains(number)
            ? new Vni(number) : throw new JsonException($"A VNI is a number from 0 to {Vni.MaxValue}.");

    public override void Write(Utf8JsonWriter writer, Vni value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

/// <summary><c>"198.18.0.1"</c>, or null for none.</summary>
internal sealed class AddressConverter : JsonConverter<InetAddress>
{
    public override bool HandleNull => true;

    public override InetAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return default;
        string text = JsonText.Read(ref reader);
        return InetAddress.TryParse(text, out InetAddress address) ? address
            : throw new JsonException($"{VtepConfigRules.Quote(text)} is no IPv4 or IPv6 address.");
    }

    public override void Write(Utf8JsonWriter writer, InetAddress value, JsonSerializerOptions options)
    {
        if (value.IsNone)
            writer.WriteNullValue();
        else
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary><c>"198.18.0.2:4789"</c>.</summary>
internal sealed class EndpointConverter : JsonConverter<VtepEndpoint>
{
    public override VtepEndpoint Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string text = JsonText.Read(ref reader);
        return EndpointText.TryParse(text, Underlay.UnderlayConfig.DefaultPort, out VtepEndpoint endpoint) ? endpoint
            : throw new JsonException(EndpointText.Complaint(text) + ".");
    }

    public override void Write(Utf8JsonWriter writer, VtepEndpoint value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary><c>vni_not_found</c>, as a key or a string.</summary>
internal sealed class DropReasonConverter : JsonConverter<DropReason>
{
    private static readonly Dictionary<string, DropReason> s_byName = Enum.GetValues<DropReason>().ToDictionary(reason => reason.Name());

    public override DropReason Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string text = reader.TokenType == JsonTokenType.PropertyName ? reader.GetString()! : JsonText.Read(ref reader);
        return s_byName.TryGetValue(text, out DropReason reason) ? reason
            : throw new JsonException($"{VtepConfigRules.Quote(text)} is no drop reason this program knows.");
    }

    public override DropReason ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void Write(Utf8JsonWriter writer, DropReason value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, DropReason value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Name());
}

/// <summary>Reads a string, and nothing else.</summary>
internal static class JsonText
{
    public static string Read(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("A string is expected here.");
}
