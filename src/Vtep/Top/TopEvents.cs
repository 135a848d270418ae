// What happens to `vtep top` from outside: keys and signals, as one queue, so that everything is done on one thread at a time.
//
// Keys are read by a thread of its own, which waits in read(2) and goes with the process. The terminal gives single keys without echo for that time, and
// is set back at the end. Ctrl-C stays a signal. SIGTSTP (Ctrl-Z) must give screen and modes back before the process stops, so its handler does all
// of it, and takes them again when the process is continued (TerminalModes).

using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Daemon.Top;

/// <summary>Something that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Key">Which key.</param>
internal readonly record struct TopEvent(TopEventKind Kind, char Key = '\0');

/// <summary>Kinds of events.</summary>
internal enum TopEventKind
{
    /// <summary>A key was pressed.</summary>
    Key,

    /// <summary>The picture must be drawn anew: another size, or the terminal is ours again.</summary>
    Redraw,

    /// <summary>SIGINT, SIGTERM, SIGHUP or SIGQUIT.</summary>
    End,
}

/// <summary>The queue of events. Written by any thread, read by one.</summary>
internal sealed class TopEvents : IDisposable
{
    private readonly Channel<TopEvent> _events = Channel.CreateUnbounded<TopEvent>();
    private readonly List<PosixSignalRegistration> _signals = [];
    private TerminalModes? _before;

    // One wait at a time, however often it is asked for: it may last for days.
    private Task _waiting = Task.CompletedTask;

    public TopEvents()
    {
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
            On(signal, cancel: true, () => Add(new TopEvent(TopEventKind.End)));
    }

    /// <summary>Ends when there is something to take.</summary>
    public Task HappenedAsync() => _waiting.IsCompleted ? _waiting = _events.Reader.WaitToReadAsync().AsTask() : _waiting;

    /// <summary>Takes the next event, if there is one.</summary>
    public bool TryTake(out TopEvent happened) => _events.Reader.TryRead(out happened);

    /// <summary>Adds an event.</summary>
    public void Add(TopEvent what) => _events.Writer.TryWrite(what);

    /// <summary>Also reads keys, and follows what happens to the terminal.</summary>
    /// <param name="stopping">The process is about to be stopped (Ctrl-Z).</param>
    /// <param name="continuing">It goes on.</param>
    public void WatchTerminal(Action stopping, Action continuing)
    {
        _before = TerminalModes.Now();
        TerminalModes? ours = _before?.WithSingleKeys();
        ours?.Set();
        On(PosixSignal.SIGWINCH, cancel: false, () => Add(new TopEvent(TopEventKind.Redraw)));
        var gate = new Lock(); // Ctrl-Z may come again before all is taken back
        On(PosixSignal.SIGTSTP, cancel: true, () =>
        {
            lock (gate)
            {
                stopping();
                _before?.Set();
                TerminalModes.StopProcess();
            }
        });
        On(PosixSignal.SIGCONT, cancel: true, () => // else the runtime would set modes of its own
        {
            lock (gate)
            {
                ours?.Set();
                continuing();
            }

            Add(new TopEvent(TopEventKind.Redraw));
        });
        if (ours is not null)
            new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
        _before?.Set();
    }

    private void On(PosixSignal signal, bool cancel, Action act) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = cancel;
        act();
    }));

    // Arrows and function keys come as sequences, whose letters are no keys of ours.
    private void ReadKeys()
    {
        const byte Escape = 0x1B;
        Span<byte> keys = stackalloc byte[64];
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0); // the console's own waits for whole lines
        int count;
        while ((count = input.Read(keys)) > 0) // 0: the terminal is gone; whoever took it away sends SIGHUP
        {
            for (int i = 0; i < count && keys[i] != Escape; i++)
                Add(new TopEvent(TopEventKind.Key, (char)keys[i]));
        }
    }
}
