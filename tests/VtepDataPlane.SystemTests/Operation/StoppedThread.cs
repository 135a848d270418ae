// One thread of another process, stopped alone, as a bug would: by ptrace(2), whose calls must all come from one thread, so this has its own.
// PTRACE_SEIZE and PTRACE_INTERRUPT stop the thread without a signal that anybody else would see; PTRACE_DETACH lets it run again.

using System.Globalization;
using System.Runtime.InteropServices;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>Keeps a thread stopped until disposed of.</summary>
internal sealed class StoppedThread : IDisposable
{
    private const nint PtraceSeize = 0x4206;
    private const nint PtraceInterrupt = 0x4207;
    private const nint PtraceDetach = 17;
    private const int AllThreads = 0x40000000; // __WALL

    private readonly int _id;
    private readonly Thread _tracer;
    private readonly ManualResetEventSlim _isStopped = new();
    private readonly ManualResetEventSlim _mayRun = new();
    private string? _failure;

    /// <summary>Stops the thread of that name.</summary>
    public StoppedThread(int process, string name)
    {
        _id = Find(process, name);
        _tracer = new Thread(Hold) { IsBackground = true, Name = $"tracer of {name}" };
        _tracer.Start();
        _isStopped.Wait();
        Assert.That(_failure, Is.Null, $"stopping {name}");
    }

    /// <summary>Lets it run.</summary>
    public void Dispose()
    {
        _mayRun.Set();
        _tracer.Join();
        _isStopped.Dispose();
        _mayRun.Dispose();
        Assert.That(_failure, Is.Null);
    }

    private static int Find(int process, string name)
    {
        string tasks = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/task");
        string task = Directory.EnumerateDirectories(tasks).Single(folder => File.ReadAllText(Path.Combine(folder, "comm")).TrimEnd('\n') == name);
        return int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
    }

    private void Hold()
    {
        bool isSeized = Check(ptrace(PtraceSeize, _id, 0, 0), "PTRACE_SEIZE");
        if (isSeized && Check(ptrace(PtraceInterrupt, _id, 0, 0), "PTRACE_INTERRUPT"))
            Check(waitpid(_id, out _, AllThreads), "waitpid");
        _isStopped.Set();
        _mayRun.Wait();
        if (isSeized)
            Check(ptrace(PtraceDetach, _id, 0, 0), "PTRACE_DETACH");
    }

    private bool Check(nint result, string call)
    {
        if (result >= 0)
            return true;
        _failure = $"{call}: {Marshal.GetLastPInvokeErrorMessage()}; these tests need CAP_SYS_PTRACE";
        return false;
    }

#pragma warning disable IDE1006 // native names
    [DllImport("libc", SetLastError = true)]
    private static extern nint ptrace(nint request, nint thread, nint address, nint data);

    [DllImport("libc", SetLastError = true)]
    private static extern int waitpid(int thread, out int status, int options);
#pragma warning restore IDE1006
}
