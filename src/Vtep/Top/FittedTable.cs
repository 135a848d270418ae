// A table for a picture that is drawn again and again: one line a row, whatever the terminal's width. (A TextTable loses nothing, and becomes
// a list of records where it is too wide; that is right for an answer and too long for a picture.) Where it is too wide, columns are left
// out, those of the highest rank first; then the first column is shortened. Where it is too high, the last line says how many rows are missing.
// Cells are text from outside: control characters are escaped.

using System.Text;
using Spectre.Console;

namespace VtepDataPlane.Daemon.Top;

/// <summary>A column.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Rank">0: it stays; of the others the highest goes first.</param>
/// <param name="IsNumber">Stands to the right.</param>
internal sealed record FittedColumn(string Header, int Rank = 0, bool IsNumber = true);

/// <summary>A table that fits.</summary>
internal sealed class FittedTable(params FittedColumn[] columns)
{
    private const string Gap = "  ";
    private const string Ellipsis = "...";

    /// <summary>What the first column keeps as long as there is another column to leave out: an IPv4 address with a port.</summary>
    private const int NameColumns = 21;

    private readonly List<string[]> _rows = [];

    /// <summary>Rows it would like to show; without any there is a line that says so.</summary>
    public int WantedRows => Math.Max(1, _rows.Count);

    /// <summary>Adds a row: a cell for each column.</summary>
    public void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => VtepConfigRules.Escape(cell))]);

    /// <summary>The header, and at most so many lines of rows.</summary>
    /// <param name="width">Columns of the terminal; null: as many as it takes.</param>
    /// <param name="rows">Lines for rows.</param>
    public IEnumerable<string> Lines(int? width, int rows)
    {
        int shown = _rows.Count <= rows ? _rows.Count : Math.Max(0, rows - 1);
        string[][] lines = [[.. columns.Select(column => column.Header)], .. _rows.Take(shown)];
        int[] kept = Fitting(lines, width);
        int[] widths = [.. kept.Select(column => lines.Max(line => line[column].GetCellWidth()))];
        if (width is { } most)
            widths[0] = Math.Max(1, Math.Min(widths[0], most - widths.Skip(1).Sum(other => other + Gap.Length)));
        foreach (string[] line in lines)
            yield return Shortened(Line(line, kept, widths), width);
        if (_rows.Count == 0 && rows > 0)
            yield return Shortened("none", width);
        else if (shown < _rows.Count && rows > 0)
            yield return Shortened($"… and {_rows.Count - shown} more", width);
    }

    /// <summary>A text in so many columns of a terminal; three dots stand for what is left out.</summary>
    public static string Shortened(string text, int? width)
    {
        if (width is not { } most || text.GetCellWidth() <= most)
            return text;
        var kept = new StringBuilder();
        string dots = Ellipsis[..Math.Min(Ellipsis.Length, most)];
        int taken = dots.Length;
        foreach (Rune rune in text.EnumerateRunes())
        {
            taken += rune.ToString().GetCellWidth();
            if (taken > most)
                break;
            kept.Append(rune.ToString());
        }

        return kept.Append(dots).ToString();
    }

    private string Line(string[] cells, int[] kept, int[] widths)
    {
        var line = new StringBuilder();
        for (int i = 0; i < kept.Length; i++)
        {
            string cell = Shortened(cells[kept[i]], widths[i]);
            string blanks = new(' ', widths[i] - cell.GetCellWidth());
            line.Append(i == 0 ? "" : Gap).Append(columns[kept[i]].IsNumber ? blanks + cell : cell + blanks);
        }

        return line.ToString().TrimEnd(' ');
    }

    private int[] Fitting(string[][] lines, int? width)
    {
        int[] kept = [.. Enumerable.Range(0, columns.Length)];
        while (width is { } most && kept.Any(column => columns[column].Rank > 0) && Narrowest(lines, kept) > most)
        {
            int rank = kept.Max(column => columns[column].Rank);
            kept = [.. kept.Where(column => columns[column].Rank < rank)];
        }

        return kept;
    }

    private static int Narrowest(string[][] lines, int[] kept)
    {
        int first = Math.Min(lines.Max(line => line[kept[0]].GetCellWidth()), NameColumns);
        return first + kept.Skip(1).Sum(column => lines.Max(line => line[column].GetCellWidth()) + Gap.Length);
    }
}
