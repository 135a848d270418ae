// Records to what stands in etcd, and back. Values are small JSON objects, see RecordReader for what they hold.
//
// What is read is untrusted. A value is taken whole or not at all, and nothing that can stand in a store makes this throw: what isn't one of
// our records becomes a RejectedRecord that says what is wrong with it. What we write is the same bytes every time, so that a value can be compared.
// Any thread.

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Translates between records and the keys and values of a store.</summary>
/// <param name="layout">Where records are.</param>
internal sealed class RecordCodec(EtcdLayout layout)
{
    /// <summary>Bytes of a value.</summary>
    public const int MaxValue = 4096;

    private const int MaxShownName = 256;

    /// <summary>Where records are.</summary>
    public EtcdLayout Layout => layout;

    /// <summary>A record's key.</summary>
    public byte[] Key(RecordKey key) => layout.Key(key);

    /// <summary>The record a key stands for; null: none.</summary>
    public RecordKey? KeyOf(ReadOnlySpan<byte> key) => layout.KeyOf(key);

    /// <summary>Reads a record. Either it or the reason why there is none is given.</summary>
    public bool TryParse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        [NotNullWhen(true)] out DirectoryRecord? record, [NotNullWhen(false)] out RejectedRecord? rejected)
    {
        record = null;
        rejected = null;
        if (layout.Read(key, out RecordKey means) is { } wrongKey)
            rejected = Reject(key, wrongKey, null);
        else if (value.Length > MaxValue)
            rejected = Reject(key, new(RejectReason.ValueTooLarge, $"it has {value.Length} bytes; a record has at most {MaxValue}"), means);
        else if (RecordReader.Read(means, value, out record) is { } wrongValue)
            (record, rejected) = (null, Reject(key, wrongValue, means));
        return rejected is null && record is not null;
    }

    // The name may be as long as etcd allows, a megabyte and more; what is kept of it is for people.
    private static RejectedRecord Reject(ReadOnlySpan<byte> key, KeyProblem problem, RecordKey? means)
    {
        string name = Encoding.UTF8.GetString(key[..Math.Min(key.Length, MaxShownName)]) + (key.Length > MaxShownName ? "..." : "");
        string what = means is null ? "The key isn't one of ours" : "The value can't be read";
        return new RejectedRecord(name, problem.Reason, $"{what}: {problem.Sentence}.", means);
    }

    /// <summary>A record's value.</summary>
    public static byte[] Value(DirectoryRecord record)
    {
        var bytes = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            Write(json, record);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, DirectoryRecord record)
    {
        switch (record)
        {
            case VtepRecord vtep:
                WriteVtep(json, vtep);
                break;
            case FloodRecord:
                json.WriteString("flood"u8, "ingress"u8);
                break;
            case MacRecord mac:
                json.WriteNumber("seq"u8, mac.Sequence);
                json.WriteBoolean("sticky"u8, mac.Sticky);
                break;
            case NeighborRecord neighbor:
                json.WriteString("mac"u8, neighbor.Mac.ToString());
                json.WriteNumber("seq"u8, neighbor.Sequence);
                json.WriteBoolean("router"u8, neighbor.IsRouter);
                break;
            case PrefixRecord prefix:
                WriteMac(json, "rmac"u8, prefix.RouterMac);
                break;
        }
    }

    private static void WriteVtep(Utf8JsonWriter json, VtepRecord vtep)
    {
        json.WriteNumber("v"u8, RecordReader.Version);
        if (vtep.Name is not null)
            json.WriteString("name"u8, vtep.Name);
        json.WriteStartArray("vtep"u8);
        WriteEndpoint(json, vtep.IPv4);
        WriteEndpoint(json, vtep.IPv6);
        json.WriteEndArray();
        WriteMac(json, "mac"u8, vtep.Mac);
        if (vtep.Mtu != 0)
            json.WriteNumber("mtu"u8, vtep.Mtu);
        if (vtep.Instance != Guid.Empty)
            json.WriteString("instance"u8, vtep.Instance);
    }

    private static void WriteEndpoint(Utf8JsonWriter json, VtepEndpoint endpoint)
    {
        if (endpoint.Address.IsNone)
            return;
        json.WriteStartObject();
        json.WriteString("ip"u8, endpoint.Address.ToString());
        json.WriteNumber("port"u8, endpoint.Port);
        json.WriteEndObject();
    }

    private static void WriteMac(Utf8JsonWriter json, ReadOnlySpan<byte> name, MacAddress mac)
    {
        if (!mac.IsZero)
            json.WriteString(name, mac.ToString());
    }
}
