// A log entry in the journal's own protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram, in which each field is its
// name, a line feed, the length of its value as 64 bits little endian, the value, and a line feed. A length can't be forged: whatever is in
// a value, a line feed included, it begins no other field. The protocol's shorter form, NAME=value, has no length and isn't used.
//
// Field names: MESSAGE PRIORITY SYSLOG_IDENTIFIER, and our own: VTEP_EVENT (the event's name), VTEP_EVENT_ID, VTEP_CATEGORY, VTEP_EXCEPTION,
// and one for each structured value: "vni" is VTEP_VNI, "udpPort" is VTEP_UDP_PORT.

using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Builds one datagram.</summary>
internal sealed class JournalEntry
{
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    /// <summary>The datagram so far.</summary>
    public ReadOnlyMemory<byte> Datagram => _bytes.WrittenMemory;

    /// <summary>The level in syslog(3)'s numbers.</summary>
    public static int Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    /// <summary>The name of the field of a structured value.</summary>
    public static string FieldName(string name)
    {
        var field = new StringBuilder("VTEP");
        bool wasLower = true; // so that the first letter starts a word
        foreach (char c in name)
        {
            if (wasLower && !char.IsAsciiLetterLower(c) || field.Length == 4)
                field.Append('_');
            wasLower = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
            if (char.IsAsciiLetterOrDigit(c))
                field.Append(char.ToUpperInvariant(c));
        }

        const int Longest = 64; // of the journal
        return field.ToString(0, Math.Min(field.Length, Longest));
    }

    /// <summary>Adds a field.</summary>
    public JournalEntry Add(string name, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Encoding.ASCII.GetBytes(name, _bytes);
        _bytes.Write("\n"u8);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), length);
        _bytes.Advance(sizeof(long));
        Encoding.UTF8.GetBytes(value, _bytes);
        _bytes.Write("\n"u8);
        return this;
    }

    /// <summary>Starts an entry with what every one has.</summary>
    public static JournalEntry Begin(LogLevel level, EventId id, string message)
    {
        JournalEntry entry = new JournalEntry().Add("MESSAGE", message)
            .Add("PRIORITY", Priority(level).ToString(CultureInfo.InvariantCulture)).Add("SYSLOG_IDENTIFIER", "vtep");
        if (id.Name is { Length: > 0 } name)
            entry.Add("VTEP_EVENT", VtepConfigRules.Escape(name, LogText.LongestValue));
        return id.Id == 0 ? entry : entry.Add("VTEP_EVENT_ID", id.Id.ToString(CultureInfo.InvariantCulture));
    }
}
