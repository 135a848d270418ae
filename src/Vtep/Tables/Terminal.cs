// What the output can show. A pipe or a file gets plain text of any width: programs read it, and nothing may be cut or folded.

namespace VtepDataPlane.Daemon.Tables;

/// <summary>What the output can show.</summary>
/// <param name="Ansi">Escape sequences are understood and wanted.</param>
/// <param name="Width">Columns; null: as many as it takes.</param>
internal readonly record struct Terminal(bool Ansi, int? Width)
{
    /// <summary>A pipe or a file.</summary>
    public static Terminal Plain => new(false, null);

    /// <summary>Standard output, as the environment describes it (NO_COLOR: no-color.org; TERM=dumb).</summary>
    public static Terminal OfStandardOutput()
    {
        if (Console.IsOutputRedirected)
            return Plain;
        bool noColor = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        bool dumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        int width = Console.WindowWidth;
        return new Terminal(!noColor && !dumb, width > 0 ? width : null);
    }
}
