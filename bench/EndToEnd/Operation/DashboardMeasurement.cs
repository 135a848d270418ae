// What an open dashboard costs the VTEP it shows: the questions of the page (its state each second, the FDB every five), asked over TCP on the hosts'
// loopback as a browser does. The browser itself is left out: it is seldom on the host, and draws on what the reader has.

using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>The page's questions.</summary>
internal sealed class DashboardMeasurement(int seconds) : Measurement("dashboard-tcp-1")
{
    private const int Polls = 60;
    private const int Warmup = 50;
    private const int Window = 5;
    private const int PollsToASearch = 5;
    private static readonly Uri s_state = new("/dashboard/state", UriKind.Relative), s_fdb = new("/dashboard/fdb?find=", UriKind.Relative);
    private static readonly TimeSpan s_cacheTime = TimeSpan.FromMilliseconds(550); // an answer is good for half a second
    private readonly int _windows = Math.Max(3, seconds / (2 * Window));

    /// <inheritdoc/>
    public override string Note => $"Ten domains, a hundred peers. Processor time: {Polls} polls, a cache's time apart, of an idle VTEP, less what it takes idle. "
        + $"Throughput: windows of {Window} s of one TCP stream, {_windows} without and {_windows} with the dashboards of both VTEPs open, in turn.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var pair = new TcpPair(dashboard: true);
        using HttpClient one = pair.One.DashboardClient(), two = pair.Two.DashboardClient();
        for (int i = 0; i < Warmup; i++)
            Poll([one, two], i);
        TellCost(tell, pair.One, one);
        Series closed = new(), open = new();
        for (int i = 0; i < _windows; i++)
        {
            closed.Add(pair.Iperf.GigabitsPerSecond(Window));
            open.Add(Polling.Beside(second => Poll([one, two], second), () => pair.Iperf.GigabitsPerSecond(Window)));
        }

        tell(Figure.Median("TCP, dashboard closed", "Gbit/s", closed));
        tell(Figure.Median("TCP, dashboard open", "Gbit/s", open));
        tell(new Figure("open / closed", "", open.Median!.Value / closed.Median!.Value, Target.AtLeast(0.98)));
    }

    private static void TellCost(Action<Figure> tell, OperatedVtep vtep, HttpClient client)
    {
        double idle = Polling.Spent(vtep, Polls, s_cacheTime, () => { });
        int bytes = 0, round = 0;
        double polled = Polling.Spent(vtep, Polls, s_cacheTime, () => bytes = Poll([client], round++));
        double each = Math.Max(0, polled - idle) * 1000 / Polls;
        tell(new Figure("a poll's answer", "KiB", bytes / 1024.0));
        tell(new Figure("a poll's processor time", "ms", each));
        tell(new Figure("one a second, of one core", "%", each / 10, Target.AtMost(2)));
    }

    // The bytes of the last state.
    private static int Poll(HttpClient[] clients, int round)
    {
        int bytes = 0;
        foreach (HttpClient client in clients)
        {
            bytes = Polling.Ask(client, s_state);
            if (round % PollsToASearch == 0)
                Polling.Ask(client, s_fdb);
        }

        return bytes;
    }
}
