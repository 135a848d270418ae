// The text of a log entry, fit for a terminal and the journal. Values may come from outside (interface names, file names, what a controller
// says): each is escaped by the one rule there is (VtepConfigRules.Escape) and cut. What we wrote ourselves, the template, stays as it is.
// So the message is put together here, from template and values, and not by the formatter of the entry, which knows nothing of that.
//
// A value that is a whole sentence of ours may be longer than one that is a name: the remedy stands at its end. Any thread; nothing kept.

using System.Collections;
using System.Globalization;
using System.Text;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Texts of log entries.</summary>
internal static class LogText
{
    /// <summary>Characters of a value.</summary>
    public const int LongestValue = 256;

    /// <summary>Characters of a value that is a sentence of ours with names in it.</summary>
    public const int LongestSentence = 1024;

    /// <summary>Characters of a message.</summary>
    public const int LongestMessage = 2048;

    private const string TemplateName = "{OriginalFormat}";
    private static readonly string[] s_sentences = ["reason", "error", "problem", "change"];

    /// <summary>The structured values of an entry, with their names; not its template.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Values<TState>(TState state) =>
        (state as IEnumerable<KeyValuePair<string, object?>> ?? []).Where(value => value.Key != TemplateName)
            .Select(value => KeyValuePair.Create(value.Key, Value(value.Key, value.Value, null)));

    /// <summary>The message of an entry.</summary>
    public static string Message<TState>(TState state, Func<TState, Exception?, string> formatter, Exception? exception)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> values || values.FirstOrDefault(value => value.Key == TemplateName).Value is not string template)
            return VtepConfigRules.Escape(formatter(state, exception), LongestMessage);
        string message = Fill(template, values);
        return message.Length <= LongestMessage ? message : VtepConfigRules.Escape(message, LongestMessage);
    }

    /// <summary>An exception with its trace, a line each.</summary>
    public static IEnumerable<string> Lines(Exception exception) =>
        exception.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => VtepConfigRules.Escape(line.TrimEnd('\r'), LongestValue));

    private static string Value(string name, object? value, string? format) =>
        VtepConfigRules.Escape(Plain(value, format), s_sentences.Contains(name) ? LongestSentence : LongestValue);

    private static string Plain(object? value, string? format) => value switch
    {
        null => "(null)",
        string text => text,
        IFormattable number => number.ToString(format, CultureInfo.InvariantCulture),
        IEnumerable many => string.Join(", ", many.Cast<object?>().Select(one => Plain(one, format))),
        _ => value.ToString() ?? "",
    };

    // {name}, {name:format}, {name,width} (whose width isn't used), {{ and }}.
    private static string Fill(string template, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        var message = new StringBuilder(template.Length + 64);
        for (int i = 0; i < template.Length; i++)
        {
            char c = template[i];
            bool isDoubled = c is '{' or '}' && i + 1 < template.Length && template[i + 1] == c;
            int end = c == '{' && !isDoubled ? template.IndexOf('}', i) : -1;
            if (end < 0)
                message.Append(c);
            else
                message.Append(Hole(template[(i + 1)..end], values));
            i = isDoubled ? i + 1 : Math.Max(i, end);
        }

        return message.ToString();
    }

    private static string Hole(string hole, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        string[] parts = hole.Split(':', 2);
        string name = parts[0].Split(',')[0];
        object? value = values.FirstOrDefault(value => string.Equals(value.Key, name, StringComparison.OrdinalIgnoreCase)).Value;
        return Value(name, value, parts.Length > 1 ? parts[1] : null);
    }
}
