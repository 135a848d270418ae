// From bytes to a tree of ConfigNodes, and from byte offsets to lines and columns. Utf8JsonReader does the JSON; comments and
// trailing commas are allowed. A file that is no JSON ends here with the one place where reading stopped.

using System.Buffers;
using System.Text;
using System.Text.Json;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>The file is no JSON.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters.</param>
/// <param name="Message">What is wrong there.</param>
internal readonly record struct ConfigSyntaxError(int Line, int Column, string Message);

/// <summary>The bytes of a configuration file.</summary>
internal sealed class ConfigText
{
    private const int MaxDepth = 16;
    private const string WhenEmpty = "the file is empty; write at least { \"underlay\": { \"local\": \"198.18.0.1\" }, \"bridgeDomains\": [] }";

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly string _whenEmpty;
    private readonly List<int> _lineStarts = [0];

    /// <summary>Takes the bytes of a file.</summary>
    /// <param name="bytes">The bytes, with or without a byte order mark.</param>
    /// <param name="whenEmpty">What to say when there are none.</param>
    public ConfigText(ReadOnlyMemory<byte> bytes, string whenEmpty = WhenEmpty)
    {
        _whenEmpty = whenEmpty;
        _bytes = bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        ReadOnlySpan<byte> rest = _bytes.Span;
        for (int at = rest.IndexOf((byte)'\n'); at >= 0; at = rest.IndexOf((byte)'\n'))
        {
            _lineStarts.Add(_lineStarts[^1] + at + 1);
            rest = rest[(at + 1)..];
        }
    }

    /// <summary>Line and column, both from 1, of a byte. Columns count characters, as editors do.</summary>
    public (int Line, int Column) Position(int offset)
    {
        int found = _lineStarts.BinarySearch(offset);
        int line = found >= 0 ? found : ~found - 1;
        int start = _lineStarts[line];
        int end = Math.Min(offset, _bytes.Length);
        return (line + 1, Encoding.UTF8.GetCharCount(_bytes.Span[start..end]) + 1);
    }

    /// <summary>The tree, or null and where reading stopped.</summary>
    public ConfigNode? Parse(out ConfigSyntaxError error)
    {
        var options = new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = MaxDepth };
        var reader = new Utf8JsonReader(_bytes.Span, options);
        error = default;
        try
        {
            reader.Read();
            ConfigNode root = ParseValue(ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException broken)
        {
            error = Describe(broken);
        }
        catch (InvalidOperationException)
        {
            (int line, int column) = Position((int)reader.TokenStartIndex);
            error = new ConfigSyntaxError(line, column, "the text is not valid UTF-8; save the file as UTF-8");
        }

        return null;
    }

    private static ConfigNode ParseValue(ref Utf8JsonReader reader)
    {
        int offset = (int)reader.TokenStartIndex;
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ParseObject(ref reader, offset),
            JsonTokenType.StartArray => ParseList(ref reader, offset),
            JsonTokenType.String => new ConfigNode(JsonValueKind.String, offset) { Text = reader.GetString()! },
            JsonTokenType.Number => new ConfigNode(JsonValueKind.Number, offset) { Text = NumberText(ref reader) },
            JsonTokenType.True => new ConfigNode(JsonValueKind.True, offset),
            JsonTokenType.False => new ConfigNode(JsonValueKind.False, offset),
            _ => new ConfigNode(JsonValueKind.Null, offset),
        };
    }

    private static ConfigNode ParseObject(ref Utf8JsonReader reader, int offset)
    {
        var node = new ConfigNode(JsonValueKind.Object, offset);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int keyOffset = (int)reader.TokenStartIndex;
            string key = reader.GetString()!;
            reader.Read();
            node.Add(ParseValue(ref reader), key, keyOffset);
        }

        return node;
    }

    private static ConfigNode ParseList(ref Utf8JsonReader reader, int offset)
    {
        var node = new ConfigNode(JsonValueKind.Array, offset);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            ConfigNode item = ParseValue(ref reader);
            node.Add(item, null, item.Offset);
        }

        return node;
    }

    private static string NumberText(ref Utf8JsonReader reader) =>
        Encoding.ASCII.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);

    // The reader counts lines and bytes in the line from 0, and says so at the end of its message.
    private ConfigSyntaxError Describe(JsonException broken)
    {
        int line = (int)Math.Clamp(broken.LineNumber ?? 0, 0, _lineStarts.Count - 1);
        long offset = _lineStarts[line] + (broken.BytePositionInLine ?? 0);
        (int at, int column) = Position((int)Math.Min(offset, _bytes.Length));
        string message = broken.Message;
        int tail = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        string what = (tail < 0 ? message : message[..tail]).TrimEnd('.');
        return new ConfigSyntaxError(at, column, _bytes.Length == 0 ? _whenEmpty : $"this is no JSON: {VtepConfigRules.Escape(what)}");
    }
}
