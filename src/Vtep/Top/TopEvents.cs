// What happens to `vtep top` from outside: keys and signals, as one queue, so that everything is done on one thread at a time.
//
// Keys are read by a thread of its own, which waits in read(2) and goes with the process; the runtime sets the terminal to give single keys without
// echo for that time, and back at the end, whichever way the process ends by itself. Ctrl-C stays a signal. SIGTSTP (Ctrl-Z) must give the
// screen back before the process stops, so that handler does it itself, before it lets the signal do what it always does.

using System.Runtime.InteropServices;
using System.Threading.Channels;

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
        On(PosixSignal.SIGWINCH, cancel: false, () => Add(new TopEvent(TopEventKind.Redraw)));
        On(PosixSignal.SIGTSTP, cancel: false, stopping);
        On(PosixSignal.SIGCONT, cancel: false, () =>
        {
            continuing();
            Add(new TopEvent(TopEventKind.Redraw));
        });
        if (!Console.IsInputRedirected)
            new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private void On(PosixSignal signal, bool cancel, Action act) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = cancel;
        act();
    }));

    private void ReadKeys()
    {
        try
        {
            while (true)
                Add(new TopEvent(TopEventKind.Key, Console.ReadKey(intercept: true).KeyChar));
        }
        catch (InvalidOperationException)
        {
            // The terminal is gone; whoever took it away sends SIGHUP.
        }
    }
}
