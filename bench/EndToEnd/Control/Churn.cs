// New stations, so many a second, behind one VTEP: each says one frame, to the station before it, which is behind the same TAP. So nothing crosses
// the underlay but what the directory makes of it, and what is measured beside is the directory's work, not that of flooded frames.

using System.Diagnostics;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>Offers new source addresses.</summary>
internal sealed class Churn(StationSocket socket, ulong firstStation)
{
    private const int PerSecond = 1000;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Stations that have spoken.</summary>
    public int Offered { get; private set; }

    /// <summary>What stations' addresses begin with, as text.</summary>
    public string Beginning => $"{new MacAddress(firstStation)}"[..8];

    /// <summary>Offers until <paramref name="work"/> has been done, on a thread of its own; gives the work's result.</summary>
    public T Beside<T>(Func<T> work)
    {
        using var end = new CancellationTokenSource();
        Task offering = Task.Factory.StartNew(() => Offer(end.Token), TaskCreationOptions.LongRunning);
        try
        {
            return work();
        }
        finally
        {
            end.Cancel();
            offering.GetAwaiter().GetResult();
        }
    }

    // What the clock says is due is sent, so that a late thread catches up and the rate holds.
    private void Offer(CancellationToken end)
    {
        long start = Stopwatch.GetTimestamp();
        int before = Offered;
        while (!end.IsCancellationRequested)
        {
            int due = before + (int)(Stopwatch.GetElapsedTime(start).TotalSeconds * PerSecond);
            for (; Offered < due; Offered++)
                socket.Send(Station(Offered), Offered == 0 ? MacAddress.Broadcast : Station(Offered - 1));
            Thread.Sleep(s_pause);
        }
    }

    private MacAddress Station(int i) => new(firstStation + (ulong)i);
}
