// Standard output as commands write to it. What can't be written there (a full disk) is an exception of its own, told apart from
// files that can't be read; a pipe whose reader is gone (| head -1) takes the rest and says nothing, which the runtime sees to.
// A terminal gets every line at once; a pipe or a file gets blocks, for a full FDB has 262,144 lines.

using System.Text;
using VtepDataPlane.Daemon.Tables;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The answer can't be written; the message is a sentence.</summary>
internal sealed class OutputException(IOException inner)
    : Exception($"The answer can't be written to standard output: {inner.Message.TrimEnd('.')}. Make room there, or write to another place.", inner);

/// <summary>A writer whose failures are <see cref="OutputException"/>s.</summary>
internal sealed class StandardOutput(TextWriter inner) : TextWriter
{
    private const int Block = 64 << 10;

    public override Encoding Encoding => inner.Encoding;

    /// <summary>The process's own.</summary>
    public static TextWriter Open()
    {
        Terminal.Silence();
        return new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), Block) { AutoFlush = !Console.IsOutputRedirected };
    }

    public override void Write(char value) => Try(value, static (to, text) => to.Write(text));

    public override void Write(string? value) => Try(value, static (to, text) => to.Write(text));

    public override void Write(char[] buffer, int index, int count) =>
        Try((buffer, index, count), static (to, text) => to.Write(text.buffer, text.index, text.count));

    public override void WriteLine() => Try(0, static (to, _) => to.WriteLine());

    public override void WriteLine(string? value) => Try(value, static (to, text) => to.WriteLine(text));

    public override void Flush() => Try(0, static (to, _) => to.Flush());

    private void Try<T>(T what, Action<TextWriter, T> write)
    {
        try
        {
            write(inner, what);
        }
        catch (IOException error)
        {
            throw new OutputException(error);
        }
    }
}
