// What the output can show. A pipe or a file gets plain text of any width: programs read it, and nothing may be cut or folded.
// On a terminal COLUMNS, as POSIX has it, says more than the terminal does; NO_COLOR (no-color.org) and TERM say what it understands.

using System.Globalization;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>What the output can show.</summary>
/// <param name="Ansi">Escape sequences are understood and wanted.</param>
/// <param name="Width">Columns; null: as many as it takes.</param>
internal readonly record struct Terminal(bool Ansi, int? Width)
{
    // What TERM was: the runtime's console sends the keypad mode to every terminal but a dumb one, whatever NO_COLOR says.
    private static string? s_kind;

    /// <summary>A pipe or a file.</summary>
    public static Terminal Plain => new(false, null);

    /// <summary>Standard output.</summary>
    public static Terminal OfStandardOutput() => Console.IsOutputRedirected ? Plain
        : Of(TerminalSize.Columns, name => name == "TERM" ? s_kind : Environment.GetEnvironmentVariable(name));

    /// <summary>Keeps the runtime from greeting the terminal. To be called once, before anything is written.</summary>
    public static void Silence()
    {
        s_kind = Environment.GetEnvironmentVariable("TERM");
        Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    /// <summary>A terminal as the environment describes it.</summary>
    /// <param name="width">Its columns; 0 when it doesn't say.</param>
    /// <param name="variable">Looks up an environment variable.</param>
    public static Terminal Of(int width, Func<string, string?> variable)
    {
        bool isPlain = !string.IsNullOrEmpty(variable("NO_COLOR")) || variable("TERM") is null or "" or "dumb";
        if (int.TryParse(variable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int wanted) && wanted > 0)
            width = wanted;
        return new Terminal(!isPlain, width > 0 ? width : null);
    }
}
