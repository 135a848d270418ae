// A table for people, drawn by Spectre.Console without borders, so that it can be read, searched and cut by words. Where it is
// wider than the terminal it becomes a list of records, one line for each field, instead of folding words at random places.
// A table without headers is a list of fields already: there the last column is folded between words.
// Cells are text from outside: control characters are escaped. A table may have 100,000 rows: it is drawn in slices of rows
// whose column widths are those of the whole.

using Spectre.Console;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>A table: columns first, then rows.</summary>
internal sealed class TextTable
{
    private const int RowsAtATime = 500;
    private const int Gap = 2;
    private const int NarrowestFold = 20;

    private readonly string[] _headers;
    private readonly bool[] _isNumber;
    private readonly bool _hasHeader;
    private readonly List<string[]> _rows = [];

    /// <summary>Columns by their headers; a leading <c>#</c> marks numbers, which stand to the right. All empty: no header.</summary>
    public TextTable(params string[] headers)
    {
        _headers = [.. headers.Select(header => header.TrimStart('#'))];
        _isNumber = [.. headers.Select(header => header.StartsWith('#'))];
        _hasHeader = _headers.Any(header => header.Length > 0);
    }

    /// <summary>Adds a row: a cell for each column. Null is shown as a dash.</summary>
    public void Add(params object?[] cells)
    {
        if (cells.Length != _headers.Length)
            throw new ArgumentException($"{cells.Length} cells for {_headers.Length} columns.", nameof(cells));
        _rows.Add([.. cells.Select(Shown)]);
    }

    /// <summary>Draws it.</summary>
    public void Write(TextWriter output, Terminal terminal)
    {
        int[] widths = [.. Enumerable.Range(0, _headers.Length).Select(Width)];
        bool fits = widths.Sum() + Gap * (widths.Length - 1) <= (terminal.Width ?? int.MaxValue);
        if (!fits && !_hasHeader)
            widths[^1] = Math.Max(NarrowestFold, terminal.Width!.Value - widths.SkipLast(1).Sum(width => width + Gap));
        if (fits || _rows.Count == 0 || !_hasHeader)
            WriteRows(output, terminal.Ansi, widths);
        else
            WriteRecords(output, terminal.Ansi);
    }

    private static string Shown(object? cell)
    {
        string text = VtepConfigRules.Escape(Convert.ToString(cell, System.Globalization.CultureInfo.InvariantCulture) ?? "");
        return text.Length == 0 ? "-" : text;
    }

    private int Width(int column) =>
        _rows.Select(row => row[column].GetCellWidth()).Append(_headers[column].GetCellWidth()).Max();

    private void WriteRows(TextWriter output, bool ansi, int[] widths)
    {
        bool isFirst = _hasHeader;
        IEnumerable<string[]> all = isFirst ? _rows.Prepend(_headers) : _rows;
        foreach (string[][] slice in all.Chunk(RowsAtATime))
        {
            Table table = Empty(widths);
            foreach (string[] row in slice)
            {
                Style style = isFirst && ansi ? new Style(decoration: Decoration.Bold) : Style.Plain;
                table.AddRow(row.Select(cell => new Text(cell, style)));
                isFirst = false;
            }

            Draw(table, output, ansi, widths.Sum() + Gap * widths.Length);
        }
    }

    private Table Empty(int[] widths)
    {
        Table table = new Table().Border(TableBorder.None).HideHeaders();
        for (int i = 0; i < widths.Length; i++)
        {
            int gap = i == widths.Length - 1 ? 0 : Gap;
            var column = new TableColumn("") { Width = widths[i], NoWrap = _hasHeader, Padding = new Padding(0, 0, gap, 0) };
            table.AddColumn(_isNumber[i] ? column.RightAligned() : column);
        }

        return table;
    }

    private void WriteRecords(TextWriter output, bool ansi)
    {
        int[] widths = [_headers.Max(header => header.GetCellWidth()), _rows.SelectMany(row => row).Max(cell => cell.GetCellWidth())];
        for (int i = 0; i < _rows.Count; i++)
        {
            if (i > 0)
                output.WriteLine();
            Table table = new TextTable("", "").Empty(widths);
            for (int j = 0; j < _headers.Length; j++)
                table.AddRow(new Text(_headers[j], ansi ? new Style(decoration: Decoration.Bold) : Style.Plain), new Text(_rows[i][j]));
            Draw(table, output, ansi, widths.Sum() + Gap);
        }
    }

    // Spectre pads the last column; the ends of lines are cut again, so that a copied or compared line has no invisible tail.
    private static void Draw(Table table, TextWriter output, bool ansi, int width)
    {
        using var drawn = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ansi ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(drawn),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = width;
        console.Write(table);
        foreach (string line in drawn.ToString().TrimEnd('\n', '\r').Split('\n'))
            output.WriteLine(line.TrimEnd());
    }
}
