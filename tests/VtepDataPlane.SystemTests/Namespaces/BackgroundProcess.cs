// A program that runs beside the test (vtep, tcpdump, ovs-vswitchd), its output collected line by line. 'ip netns exec' replaces
// itself by the program it starts, so the process id here is the program's own, and signals reach it directly.

using System.Diagnostics;
using System.Globalization;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A running program. Its output may be read from any thread.</summary>
internal sealed class BackgroundProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Lock _lock = new();
    private bool _disposed;

    public BackgroundProcess(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        _process = Command.Start(program, arguments, out string line, environment);
        CommandLine = line;
        _process.OutputDataReceived += (_, e) => Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Add(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
    }

    public string CommandLine { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>True when its main thread waits for something, neither running nor runnable: state S of proc(5).</summary>
    public bool IsAsleep
    {
        get
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Id}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('S');
        }
    }

    /// <summary>All it wrote so far, standard output and error together.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    /// <summary>All it wrote so far, as one text.</summary>
    public string Text => string.Join('\n', Lines);

    /// <summary>Waits for a line that contains <paramref name="text"/>; fails the test when it ends or is silent for too long.</summary>
    public void WaitForLine(string text, double seconds = 10) =>
        Wait.Until($"'{CommandLine}' wrote '{text}'",
            () => Lines.Any(line => line.Contains(text, StringComparison.Ordinal)) || Ended(), seconds, () => Text);

    /// <summary>Sends a signal by name, such as TERM.</summary>
    public void Signal(string name) => Command.Run("kill", $"-{name}", $"{Id}").OrFail();

    /// <summary>Waits for its end and gives the exit code; kills it and fails the test when it takes longer.</summary>
    public int WaitForExit(TimeSpan limit)
    {
        if (!_process.WaitForExit(limit))
        {
            _process.Kill();
            throw new AssertionException($"'{CommandLine}' did not end within {limit.TotalSeconds:0} s and was killed.\n{Text}");
        }

        _process.WaitForExit(); // without a limit it also waits for the last lines of output
        return _process.ExitCode;
    }

    /// <summary>Kills it if it still runs. May be called twice: by its user and by its namespace.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private bool Ended() =>
        HasExited ? throw new AssertionException($"'{CommandLine}' ended early with exit code {_process.ExitCode}.\n{Text}") : false;

    private void Add(string? line)
    {
        if (line is null)
            return;
        lock (_lock)
            _lines.Add(line);
    }
}
