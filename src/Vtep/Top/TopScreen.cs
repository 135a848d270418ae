// The terminal while `vtep top` has it: the alternate screen without a cursor, so that what was there is there again afterwards. A picture is one write,
// and overwrites the one before line by line: nothing flickers. Lines are cleared before they are written, for after one that fills the
// terminal's width the cursor still stands on its last column, and clearing would take that away.
// Sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html

using System.Text;

namespace VtepDataPlane.Daemon.Top;

/// <summary>A screen of our own until it is disposed. One thread at a time.</summary>
internal sealed class TopScreen : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l";
    private const string Leave = "\e[?25h\e[?1049l";
    private const string Home = "\e[H";
    private const string ClearLine = "\e[2K";
    private const string ClearRest = "\e[J";
    private const string Bold = "\e[1m";
    private const string NotBold = "\e[0m";

    private readonly TextWriter _output;
    private bool _isOurs;

    public TopScreen(TextWriter output)
    {
        _output = output;
        Take();
    }

    /// <summary>Shows a picture instead of the one before; not while the screen is another's.</summary>
    /// <param name="lines">Its lines.</param>
    /// <param name="height">Lines of the terminal; null: more than there are in the picture.</param>
    /// <param name="bold">Headings may be bold.</param>
    public void Show(IReadOnlyList<TopLine> lines, int? height, bool bold)
    {
        if (!_isOurs)
            return;
        var picture = new StringBuilder(Home);
        for (int i = 0; i < lines.Count; i++)
        {
            picture.Append(i == 0 ? "" : "\r\n").Append(ClearLine);
            picture.Append(bold && lines[i].IsHeading ? $"{Bold}{lines[i].Text}{NotBold}" : lines[i].Text);
        }

        if (height is null || lines.Count < height)
            picture.Append("\r\n").Append(ClearRest);
        Write(picture.ToString());
    }

    /// <summary>Takes the screen, again after <see cref="GiveBack"/>.</summary>
    public void Take()
    {
        if (!_isOurs)
            Write(Enter);
        _isOurs = true;
    }

    /// <summary>Gives the terminal back as it was.</summary>
    public void GiveBack()
    {
        if (_isOurs)
            Write(Leave);
        _isOurs = false;
    }

    /// <inheritdoc/>
    public void Dispose() => GiveBack();

    private void Write(string text)
    {
        _output.Write(text);
        _output.Flush();
    }
}
