// What the output can show. A pipe or a file gets plain text of any width: programs read it, and nothing may be cut or folded.
// On a terminal COLUMNS and LINES, as POSIX has them, say more than the terminal does; NO_COLOR (no-color.org) and TERM say what it understands.

using System.Globalization;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>What the output can show.</summary>
/// <param name="Ansi">Escape sequences are understood and wanted.</param>
/// <param name="Width">Columns; null: as many as it takes.</param>
internal readonly record struct Terminal(bool Ansi, int? Width)
{
    /// <summary>Lines; null: as many as it takes.</summary>
    public int? Height { get; init; }

    /// <summary>The cursor can be moved: there is a screen, which NO_COLOR doesn't take away.</summary>
    public bool IsScreen { get; init; }

    // What TERM was: the runtime's console sends the keypad mode to every terminal but a dumb one, whatever NO_COLOR says.
    private static string? s_kind;

    /// <summary>A pipe or a file.</summary>
    public static Terminal Plain => new(false, null);

    /// <summary>Standard output.</summary>
    public static Terminal OfStandardOutput() => Console.IsOutputRedirected ? Plain
        : Of(TerminalSize.Columns, name => name == "TERM" ? s_kind : Environment.GetEnvironmentVariable(name), TerminalSize.Rows);

    /// <summary>Keeps the runtime from greeting the terminal. To be called once, before anything is written.</summary>
    public static void Silence()
    {
        s_kind = Environment.GetEnvironmentVariable("TERM");
        Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    /// <summary>A terminal as the environment describes it.</summary>
    /// <param name="width">Its columns; 0 when it doesn't say.</param>
    /// <param name="variable">Looks up an environment variable.</param>
    /// <param name="height">Its lines; 0 when it doesn't say.</param>
    public static Terminal Of(int width, Func<string, string?> variable, int height = 0)
    {
        bool isScreen = variable("TERM") is not (null or "" or "dumb");
        bool isPlain = !isScreen || !string.IsNullOrEmpty(variable("NO_COLOR"));
        return new Terminal(!isPlain, Wanted(variable("COLUMNS"), width)) { Height = Wanted(variable("LINES"), height), IsScreen = isScreen };
    }

    private static int? Wanted(string? variable, int size)
    {
        if (int.TryParse(variable, NumberStyles.None, CultureInfo.InvariantCulture, out int wanted) && wanted > 0)
            size = wanted;
        return size > 0 ? size : null;
    }
}
