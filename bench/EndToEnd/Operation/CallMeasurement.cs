// How long the control API takes to answer while a TCP stream takes all that the machine has. One client, connected once, asks one question after the
// other, with a pause, as a program that watches a VTEP does.

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Control calls beside TCP.</summary>
internal sealed class CallMeasurement(int seconds) : Measurement("calls-tcp-1")
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);
    private static readonly string[] s_paths = ["/v1/status", "/v1/domains", "/v1/ports", "/v1/peers", "/v1/fdb", "/v1/counters", "/v1/config", "/metrics"];

    /// <inheritdoc/>
    public override string Note => $"One TCP stream for {seconds} s; meanwhile host 1's VTEP, ten domains, is asked in turn for {string.Join(", ", s_paths)}, 10 ms between.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var pair = new TcpPair();
        using HttpClient client = pair.One.Client();
        Series idle = Ask(client, Task.Delay(TimeSpan.FromSeconds(3)));
        Task<double> stream = Task.Run(() => pair.Iperf.GigabitsPerSecond(seconds));
        Series busy = Ask(client, stream);
        tell(Figure.Median("a call, idle: median", "ms", idle));
        tell(Figure.Median("a call beside TCP: median", "ms", busy));
        tell(new Figure("95th percentile", "ms", busy.Percentile(0.95)));
        tell(new Figure("99th percentile", "ms", busy.Percentile(0.99), Target.AtMost(50)));
        tell(new Figure("the longest", "ms", busy.Max, Target.AtMost(50)));
        tell(new Figure("calls", "", busy.Samples.Count));
        tell(new Figure("TCP meanwhile", "Gbit/s", stream.GetAwaiter().GetResult()));
    }

    private static Series Ask(HttpClient client, Task until)
    {
        var series = new Series();
        for (int i = 0; !until.IsCompleted; i++)
        {
            long start = Stopwatch.GetTimestamp();
            client.GetByteArrayAsync(new Uri(s_paths[i % s_paths.Length], UriKind.Relative)).GetAwaiter().GetResult();
            series.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Thread.Sleep(s_pause);
        }

        return series;
    }
}
