// A table for people, without borders, so that it can be read, searched and cut by words. Where it is wider than the terminal it
// becomes a list of records, one line for each field. Records, and tables without headers, which are lists of fields already, are
// folded where they are still too wide: between words, or inside one that is longer than the terminal; nothing is cut off. A pipe
// gets every row as one line.
// Cells are text from outside: control characters are escaped. A table may have 262,144 rows: those that fit are written as they
// are; what is bold or folded is drawn by Spectre.Console.

using System.Text;
using Spectre.Console;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>A table: columns first, then rows.</summary>
internal sealed class TextTable
{
    private const int Gap = 2;
    private const int NarrowestColumn = 8;

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

    /// <summary>Writes a sentence instead of a table, folded between words where the terminal is narrow.</summary>
    public static void WriteSentence(string sentence, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("");
        table.Add(sentence);
        table.Write(output, terminal);
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
        if (terminal.Width is not { } columns || widths.Sum() + Gap * (widths.Length - 1) <= columns)
            WriteRows(output, terminal.Ansi, widths);
        else if (_hasHeader)
            WriteRecords(output, terminal.Ansi, columns);
        else
            WriteFields(output, terminal.Ansi, columns);
    }

    private static string Shown(object? cell)
    {
        string text = VtepConfigRules.Escape(Convert.ToString(cell, System.Globalization.CultureInfo.InvariantCulture) ?? "");
        return text.Length == 0 ? "-" : text;
    }

    private int Width(int column) =>
        _rows.Select(row => CellWidth(row[column])).Append(CellWidth(_headers[column])).Max();

    // Columns of the terminal. Nearly all cells are ASCII, where it is the length.
    private static int CellWidth(string text) => Ascii.IsValid(text) ? text.Length : text.GetCellWidth();

    private void WriteRows(TextWriter output, bool ansi, int[] widths)
    {
        if (_hasHeader && ansi)
            Draw(Fields(widths, [_headers], new Style(decoration: Decoration.Bold)), output, ansi, widths.Sum() + Gap * widths.Length);
        else if (_hasHeader)
            output.WriteLine(Line(_headers, widths));
        foreach (string[] row in _rows)
            output.WriteLine(Line(row, widths));
    }

    // Without an invisible tail, so that a line can be copied and compared.
    private string Line(string[] row, int[] widths)
    {
        var line = new StringBuilder();
        for (int i = 0; i < row.Length; i++)
        {
            int blanks = widths[i] - CellWidth(row[i]);
            line.Append(' ', _isNumber[i] ? blanks : 0).Append(row[i]).Append(' ', (_isNumber[i] ? 0 : blanks) + Gap);
        }

        return line.ToString().TrimEnd(' ');
    }

    private void WriteRecords(TextWriter output, bool ansi, int columns)
    {
        if (_rows.Count == 0)
            WriteHeaders(output, ansi, columns);
        for (int i = 0; i < _rows.Count; i++)
        {
            if (i > 0)
                output.WriteLine();
            var record = new TextTable("", "");
            for (int j = 0; j < _headers.Length; j++)
                record._rows.Add([_headers[j], _rows[i][j]]);
            record.Write(output, new Terminal(ansi, columns));
        }
    }

    private void WriteHeaders(TextWriter output, bool ansi, int columns)
    {
        var headers = new TextTable("");
        headers._rows.Add([string.Join(new string(' ', Gap), _headers)]);
        headers.WriteFields(output, ansi, columns);
    }

    // The first column takes at most half of the line, the last one what is left.
    private void WriteFields(TextWriter output, bool ansi, int columns)
    {
        int last = _headers.Length - 1;
        int[] widths = [.. Enumerable.Range(0, last).Select(i => Math.Min(Width(i), Math.Max(NarrowestColumn, columns / (last + 1) - Gap))), 0];
        widths[last] = Math.Max(NarrowestColumn, columns - widths.SkipLast(1).Sum(width => width + Gap));
        Draw(Fields(widths, _rows, Style.Plain), output, ansi, widths.Sum() + Gap * last);
    }

    private Table Fields(int[] widths, IEnumerable<string[]> rows, Style style)
    {
        Table table = new Table().Border(TableBorder.None).HideHeaders();
        for (int i = 0; i < widths.Length; i++)
        {
            int gap = i == widths.Length - 1 ? 0 : Gap;
            var column = new TableColumn("") { Width = widths[i], Padding = new Padding(0, 0, gap, 0) };
            table.AddColumn(_isNumber[i] ? column.RightAligned() : column);
        }

        foreach (string[] row in rows)
            table.AddRow(row.Select(cell => new Text(cell, style)));
        return table;
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
