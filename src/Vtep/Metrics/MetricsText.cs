// The text of metrics, in the two formats a Prometheus understands: its own (0.0.4) and OpenMetrics (1.0). They differ in little: OpenMetrics names a
// counter's family without "_total", knows units, and ends with a line that tells a whole text from one cut off.
//
// Names: those of the instruments (vtep.peer.io, By), dots as underscores, the unit spelt out and appended, "_total" for counters
// (vtep_peer_io_bytes_total), as OpenTelemetry's compatibility rules have it. Series of one family follow one another.

using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>Writes one text; begin with <see cref="Begin"/>, end with <see cref="End"/>.</summary>
internal sealed class MetricsText
{
    public const string PlainType = "text/plain; version=0.0.4; charset=utf-8";
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private static readonly SearchValues<char> s_plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly ArrayBufferWriter<byte> _bytes = new(64 << 10);
    private bool _isOpenMetrics;
    private string _sample = "";

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>The name of an instrument's series.</summary>
    public static string NameOf(Instrument instrument) => FamilyOf(instrument) + (IsCounter(instrument) ? "_total" : "");

    /// <summary>Starts over.</summary>
    public void Begin(bool isOpenMetrics)
    {
        _bytes.ResetWrittenCount();
        _isOpenMetrics = isOpenMetrics;
    }

    /// <summary>The head of a family; its samples follow.</summary>
    public void Family(Instrument instrument)
    {
        string family = FamilyOf(instrument);
        bool isCounter = IsCounter(instrument);
        _sample = NameOf(instrument);
        string name = _isOpenMetrics ? family : _sample;
        Write($"# TYPE {name} {(isCounter ? "counter" : "gauge")}\n");
        if (_isOpenMetrics && UnitOf(instrument) is { } unit)
            Write($"# UNIT {name} {unit}\n");
        Write($"# HELP {name} {Escape(instrument.Description ?? "")}\n");
    }

    /// <summary>One series of the family.</summary>
    public void Sample(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series(tags);
        Span<byte> room = _bytes.GetSpan(32);
        Utf8Formatter.TryFormat(value, room, out int length);
        room[length] = (byte)'\n';
        _bytes.Advance(length + 1);
    }

    /// <summary>One series of the family.</summary>
    public void Sample(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series(tags);
        Write(double.IsPositiveInfinity(value) ? "+Inf\n" : double.IsNegativeInfinity(value) ? "-Inf\n" : string.Create(CultureInfo.InvariantCulture, $"{value:R}\n"));
    }

    /// <summary>Finishes the text.</summary>
    public void End()
    {
        if (_isOpenMetrics)
            Write("# EOF\n");
    }

    private static bool IsCounter(Instrument instrument) => instrument is ObservableCounter<long> or ObservableCounter<double>;

    private static string FamilyOf(Instrument instrument)
    {
        string name = instrument.Name.Replace('.', '_');
        return UnitOf(instrument) is { } unit && !name.EndsWith("_" + unit, StringComparison.Ordinal) ? $"{name}_{unit}" : name;
    }

    private static string? UnitOf(Instrument instrument) => instrument.Unit switch { "By" => "bytes", "s" => "seconds", _ => null };

    private void Series(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Write(_sample);
        for (int i = 0; i < tags.Length; i++)
        {
            Write(i == 0 ? "{" : ",");
            Write(tags[i].Key);
            Write("=\"");
            Write(Escape(tags[i].Value as string ?? Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? ""));
            Write("\"");
        }

        Write(tags.IsEmpty ? " " : "} ");
    }

    // what can't be printed is made visible first, and that with backslashes, which are escaped with the rest
    private static string Escape(string text) => text.AsSpan().IndexOfAnyExcept(s_plain) < 0 ? text
        : VtepConfigRules.Escape(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    private void Write(string text) => Encoding.UTF8.GetBytes(text, _bytes);
}
