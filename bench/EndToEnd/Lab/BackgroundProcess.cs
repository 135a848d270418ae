// A program that runs beside the bench, what it wrote last kept for the case that it ends early.

using System.Diagnostics;
using Tmds.Linux;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>A running program; killed on disposal.</summary>
internal sealed class BackgroundProcess : IDisposable
{
    private const int KeptLines = 20;
    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly string _name;
    private bool _disposed;

    public BackgroundProcess(string name, Process process)
    {
        (_name, _process) = (name, process);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The program's process id: 'ip netns exec' replaces itself by the program.</summary>
    public int Id => _process.Id;

    /// <summary>The last lines it wrote.</summary>
    public string Text
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>Throws when it has ended.</summary>
    public void MustRun()
    {
        if (!_process.HasExited)
            return;
        throw new BenchException($"{_name} ended with exit code {_process.ExitCode}. {Text.ReplaceLineEndings(" ")}");
    }

    /// <summary>Asks it to stop (SIGTERM) and waits until it has.</summary>
    public void Stop(TimeSpan limit)
    {
        _ = LibC.kill(Id, LibC.SIGTERM);
        if (!_process.WaitForExit(limit))
            throw new BenchException($"{_name} was asked to stop and still runs after {limit.TotalSeconds:0} s.");
    }

    /// <summary>Kills it if it still runs. May be called twice: by its user and by its host.</summary>
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

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
    }
}
