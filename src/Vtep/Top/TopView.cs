// `vtep top` from the first picture to the last: takes a sample, shows a picture, waits for the interval or for something to happen.
//
// On a terminal (live) it has the screen, obeys keys, and lives on when the daemon doesn't answer: the last picture stays, with the reason, and rates
// begin anew with the first answer. Everywhere else (a pipe, a dumb terminal, --count, --json) pictures are written one after another, each
// flushed, and a daemon that doesn't answer ends it.
//
// What the daemon says and what happens are awaited side by side, so a daemon that hangs keeps no key waiting. One thread at a time; the
// screen has a lock, because Ctrl-Z gives it back on the thread of its signal.

using System.Text.Json;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Tables;

namespace VtepDataPlane.Daemon.Top;

/// <summary>What was asked for.</summary>
/// <param name="Interval">From picture to picture.</param>
/// <param name="Count">Pictures; 0: without end.</param>
/// <param name="Json">Lines of JSON instead of pictures.</param>
internal sealed record TopOptions(TimeSpan Interval, int Count, bool Json);

/// <summary>Shows pictures until it is told to end.</summary>
/// <param name="sampler">Asks the daemon.</param>
/// <param name="options">What was asked for.</param>
/// <param name="time">The clock.</param>
/// <param name="output">Where pictures go.</param>
internal sealed class TopView(TrafficSampler sampler, TopOptions options, TimeProvider time, TextWriter output) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private TrafficSample? _last;
    private TrafficRates? _rates;
    private TopTables _tables = TopTables.All;
    private string? _trouble;

    /// <summary>Shows pictures until the last one, or until a signal, or on a terminal q, ends it.</summary>
    /// <exception cref="UnreachableException">Nobody answers, at first or, other than on a terminal, later.</exception>
    /// <exception cref="RefusedException">The daemon says no, likewise.</exception>
    public async Task RunAsync()
    {
        using var events = new TopEvents();
        Task<TrafficSample> first = sampler.TakeAsync(_end.Token);
        if (await IsEndAsync(first, events))
            return;
        Take(await first);
        if (options.Count == 0 && !options.Json && Terminal.OfStandardOutput().IsScreen)
            await RunLiveAsync(events);
        else
            await RunPlainAsync(events);
    }

    /// <inheritdoc/>
    public void Dispose() => _end.Dispose();

    private async Task RunPlainAsync(TopEvents events)
    {
        for (int shown = 1; ; shown++)
        {
            WritePicture(shown > 1);
            if (shown == options.Count)
                return;
            Task<TrafficSample> next = NextAsync();
            if (await IsEndAsync(next, events))
                return;
            Take(await next);
        }
    }

    private async Task RunLiveAsync(TopEvents events)
    {
        using var screen = new TopScreen(output);
        events.WatchTerminal(() => Locked(screen.GiveBack), () => Locked(screen.Take));
        Task<TrafficSample> next = NextAsync();
        while (true)
        {
            Locked(() => Draw(screen));
            await Task.WhenAny(next, events.HappenedAsync());
            if (!Obey(events))
                break;
            if (!next.IsCompleted)
                continue;
            await TakeOrSayAsync(next);
            next = NextAsync();
        }

        await EndAsync(next);
    }

    private async Task<TrafficSample> NextAsync()
    {
        await Task.Delay(options.Interval, time, _end.Token);
        return await sampler.TakeAsync(_end.Token);
    }

    // Nothing but a signal can happen here.
    private async Task<bool> IsEndAsync(Task<TrafficSample> next, TopEvents events)
    {
        Task signal = events.HappenedAsync();
        if (await Task.WhenAny(next, signal) != signal)
            return false;
        await EndAsync(next);
        return true;
    }

    private async Task EndAsync(Task<TrafficSample> next)
    {
        await _end.CancelAsync();
        await Task.WhenAny(next); // what it says or why it fails is of no interest any more
    }

    // false: the end
    private bool Obey(TopEvents events)
    {
        while (events.TryTake(out TopEvent happened))
        {
            if (happened.Kind == TopEventKind.End || char.ToLowerInvariant(happened.Key) == 'q')
                return false;
            _tables = Chosen(_tables, happened.Key);
        }

        return true;
    }

    /// <summary>The tables that are shown after a key: one alone, and all again when it is pressed once more.</summary>
    internal static TopTables Chosen(TopTables shown, char key)
    {
        TopTables? one = char.ToLowerInvariant(key) switch { 'd' => TopTables.Domains, 'p' => TopTables.Peers, 'r' => TopTables.Reasons, _ => null };
        return one is null ? shown : one == shown ? TopTables.All : one.Value;
    }

    private async Task TakeOrSayAsync(Task<TrafficSample> next)
    {
        try
        {
            Take(await next);
            _trouble = null;
        }
        catch (Exception error) when (error is UnreachableException or RefusedException)
        {
            _last = null; // whoever answers next may be another daemon
            _trouble = error.Message;
        }
    }

    private void Take(TrafficSample sample)
    {
        _rates = TrafficRates.Between(_last, sample);
        _last = sample;
    }

    private TopPicture Picture() => new(_rates!, time.GetLocalNow(), options.Interval.TotalSeconds, _trouble, _tables);

    private void Draw(TopScreen screen)
    {
        Terminal terminal = Terminal.OfStandardOutput();
        screen.Show(Picture().Draw(terminal), terminal.Height, terminal.Ansi);
    }

    private void WritePicture(bool isNext)
    {
        if (options.Json)
            output.WriteLine(JsonSerializer.Serialize(TopLineOfJson.Of(_rates!, time.GetLocalNow()), TopJson.Default.TopLineOfJson));
        else
            output.Write((isNext ? "\n" : "") + string.Concat(Picture().Draw(Terminal.OfStandardOutput() with { Height = null }).Select(line => line.Text + "\n")));
        output.Flush();
    }

    private void Locked(Action act)
    {
        lock (_gate)
            act();
    }
}
