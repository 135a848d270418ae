// One picture of `vtep top`, as lines: a header, then the tables of domains, peers and drop reasons, each with as many rows as the height of the
// terminal leaves it. Pure: what is drawn is given, and so is the size; a pipe has neither width nor height and gets every row.

using System.Globalization;
using Spectre.Console;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Top;

/// <summary>The tables of a picture.</summary>
[Flags]
internal enum TopTables
{
    Domains = 1,
    Peers = 2,
    Reasons = 4,
    All = Domains | Peers | Reasons,
}

/// <summary>A line of a picture.</summary>
/// <param name="Text">Without escape sequences.</param>
/// <param name="IsHeading">The header of a table.</param>
internal readonly record struct TopLine(string Text, bool IsHeading = false);

/// <summary>What a picture shows.</summary>
/// <param name="Rates">What the daemon did.</param>
/// <param name="Time">The time of day.</param>
/// <param name="Interval">Seconds from picture to picture.</param>
/// <param name="Trouble">Why the rates are old, a sentence; or null.</param>
/// <param name="Tables">Which tables.</param>
internal sealed record TopPicture(TrafficRates Rates, DateTimeOffset Time, double Interval, string? Trouble = null, TopTables Tables = TopTables.All)
{
    /// <summary>An empty line and the header, above the rows of a table.</summary>
    private const int LinesAboveRows = 2;

    /// <summary>Draws it: at most as many lines as the terminal has, none wider than it.</summary>
    public IReadOnlyList<TopLine> Draw(Terminal terminal)
    {
        List<TopLine> lines = [.. Header(terminal.Width).Select(text => new TopLine(text))];
        FittedTable[] tables = [.. Chosen()];
        int left = (terminal.Height ?? int.MaxValue) - lines.Count;
        while (tables.Length > 1 && left < tables.Length * (LinesAboveRows + 1))
            tables = tables[..^1];
        int[] rows = Share(left - tables.Length * LinesAboveRows, [.. tables.Select(table => table.WantedRows)]);
        for (int i = 0; i < tables.Length; i++)
        {
            lines.Add(new TopLine(""));
            lines.AddRange(tables[i].Lines(terminal.Width, rows[i]).Select((text, line) => new TopLine(text, line == 0)));
        }

        return [.. lines.Take(terminal.Height ?? int.MaxValue)];
    }

    /// <summary>A rate as people read it, three digits of it; a dash for one that isn't known.</summary>
    public static string Shown(double? rate)
    {
        if (rate is not { } value)
            return "-";
        foreach (string unit in new[] { "", "k", "M", "G", "T" })
        {
            string digits = value is 0 or >= 99.95 ? "0" : value >= 9.995 || unit.Length == 0 ? "0.0" : "0.00";
            if (value < 999.5)
                return value.ToString(digits, CultureInfo.InvariantCulture) + unit;
            value /= 1000;
        }

        return value.ToString("0", CultureInfo.InvariantCulture) + "P";
    }

    /// <summary>Shares lines out: whoever wants less than an equal part gets it all, and the others more.</summary>
    internal static int[] Share(int lines, int[] wanted)
    {
        int[] shares = new int[wanted.Length];
        int left = Math.Max(0, lines), takers = wanted.Length;
        foreach (int taker in Enumerable.Range(0, wanted.Length).OrderBy(i => wanted[i]))
        {
            shares[taker] = Math.Min(wanted[taker], left / takers--);
            left -= shares[taker];
        }

        return shares;
    }

    private IEnumerable<string> Header(int? width)
    {
        VtepSnapshot status = Rates.Status;
        string local = status.Local.IsNone ? "without an address" : $"{new VtepEndpoint(status.Local, status.Port)}";
        IEnumerable<string> lines = Folded(
            ["vtep " + local, Time.ToString("HH:mm:ss", CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"every {Interval} s"),
                $"domains {status.BridgeDomains}", $"peers {status.Peers}", $"fdb {status.FdbEntries}/{status.FdbCapacity}"], "  ", width);
        lines = lines.Concat(Folded(
            ["out " + Flow(Rates.ToUnderlay), "in " + Flow(Rates.FromUnderlay), $"drops {Shown(Rates.DropsPerSecond)}/s"], "  ", width));
        if (Rates.Restarted)
            lines = lines.Concat(Sentence("The counters started anew: so did the daemon.", width));
        lines = lines.Concat(status.Warnings.Take(1).SelectMany(warning => Sentence("Warning: " + warning, width)));
        if (status.Warnings.Count > 1)
            lines = lines.Concat(Sentence($"… and {status.Warnings.Count - 1} more warnings: vtep show status", width));
        return Trouble is null ? lines : lines.Concat(Sentence(Trouble, width));
    }

    private IEnumerable<FittedTable> Chosen()
    {
        if (Tables.HasFlag(TopTables.Domains))
            yield return Domains();
        if (Tables.HasFlag(TopTables.Peers))
            yield return Peers();
        if (Tables.HasFlag(TopTables.Reasons))
            yield return Reasons();
    }

    private FittedTable Domains()
    {
        var table = new FittedTable(
            new("DOMAIN", IsNumber: false), new("VNI", 1), new("OUT/S", 3), new("OUT BIT/S"), new("IN/S", 3), new("IN BIT/S"), new("DROPS/S", 2), new("FDB", 4));
        foreach (DomainRates domain in Rates.Domains)
        {
            table.Add(domain.Name, $"{domain.Vni}", Shown(domain.ToUnderlay.FramesPerSecond), Shown(domain.ToUnderlay.BitsPerSecond),
                Shown(domain.FromUnderlay.FramesPerSecond), Shown(domain.FromUnderlay.BitsPerSecond), Shown(domain.DropsPerSecond), $"{domain.FdbEntries}");
        }

        return table;
    }

    private FittedTable Peers()
    {
        var table = new FittedTable(
            new("PEER", IsNumber: false), new("TX/S", 3), new("TX BIT/S"), new("RX/S", 3), new("RX BIT/S"), new("HEARD", 2), new("STATE", 4, IsNumber: false));
        foreach (PeerRates peer in Rates.Peers)
        {
            table.Add($"{peer.Endpoint}", Shown(peer.Tx.FramesPerSecond), Shown(peer.Tx.BitsPerSecond),
                Shown(peer.Rx.FramesPerSecond), Shown(peer.Rx.BitsPerSecond), Heard(peer.IdleSeconds), peer.State);
        }

        return table;
    }

    private FittedTable Reasons()
    {
        var table = new FittedTable(new("DROPPED FOR", IsNumber: false), new("DROPS/S"), new("TOTAL", 1));
        foreach (DropRate drop in Rates.Drops)
            table.Add(drop.Reason, Shown(drop.PerSecond), $"{drop.Total}");
        return table;
    }

    private static string Flow(FlowRate flow) => $"{Shown(flow.FramesPerSecond)} frames/s {Shown(flow.BitsPerSecond)} bit/s";

    private static string Heard(long? seconds) => seconds switch
    {
        null => "never",
        < 120 => $"{seconds} s",
        < 120 * 60 => $"{seconds / 60} min",
        < 48 * 3600 => $"{seconds / 3600} h",
        _ => $"{seconds / (24 * 3600)} d",
    };

    private static IEnumerable<string> Sentence(string sentence, int? width) => Folded(VtepConfigRules.Escape(sentence).Split(' '), " ", width);

    // As many pieces on a line as fit.
    private static IEnumerable<string> Folded(IEnumerable<string> pieces, string gap, int? width)
    {
        string line = "";
        foreach (string piece in pieces)
        {
            string longer = line.Length == 0 ? piece : line + gap + piece;
            if (line.Length > 0 && longer.GetCellWidth() > (width ?? int.MaxValue))
            {
                yield return FittedTable.Shortened(line, width);
                longer = piece;
            }

            line = longer;
        }

        yield return FittedTable.Shortened(line, width);
    }
}
