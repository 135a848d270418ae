// What it costs to be scraped once a second: processor time, by scraping an idle VTEP often and looking at its clock; and throughput, by windows of a
// TCP stream with and without a scrape each second, in turn.

using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Scrapes.</summary>
internal sealed class ScrapeMeasurement(int seconds) : Measurement("scrape-tcp-1")
{
    private const int Scrapes = 60;
    private const int Warmup = 50;
    private const int Window = 5;
    private static readonly Uri s_metrics = new("/metrics", UriKind.Relative);
    private static readonly TimeSpan s_cacheTime = TimeSpan.FromMilliseconds(350); // an exporter may answer from its cache for a moment
    private readonly int _windows = Math.Max(3, seconds / (2 * Window));

    /// <inheritdoc/>
    public override string Note => $"Ten domains, a hundred peers. Processor time: {Scrapes} scrapes, a cache's time apart, of an idle VTEP, less what it takes idle. "
        + $"Throughput: windows of {Window} s of one TCP stream, {_windows} without and {_windows} with a scrape of both VTEPs each second, in turn.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var pair = new TcpPair();
        using HttpClient one = pair.One.Client(), two = pair.Two.Client();
        for (int i = 0; i < Warmup; i++)
            Scrape(one);
        TellCost(tell, pair.One, one);
        Series without = new(), with = new();
        for (int i = 0; i < _windows; i++)
        {
            without.Add(pair.Iperf.GigabitsPerSecond(Window));
            with.Add(Polling.Beside(_ => Array.ForEach([one, two], client => Scrape(client)), () => pair.Iperf.GigabitsPerSecond(Window)));
        }

        tell(Figure.Median("TCP, not scraped", "Gbit/s", without));
        tell(Figure.Median("TCP, scraped each second", "Gbit/s", with));
        tell(new Figure("scraped / not scraped", "", with.Median!.Value / without.Median!.Value, Target.AtLeast(0.99)));
    }

    private static void TellCost(Action<Figure> tell, OperatedVtep vtep, HttpClient client)
    {
        double idle = Polling.Spent(vtep, Scrapes, s_cacheTime, () => { });
        int bytes = 0;
        double scraped = Polling.Spent(vtep, Scrapes, s_cacheTime, () => bytes = Scrape(client));
        double each = Math.Max(0, scraped - idle) * 1000 / Scrapes;
        tell(new Figure("a scrape's answer", "KiB", bytes / 1024.0));
        tell(new Figure("a scrape's processor time", "ms", each));
        tell(new Figure("one a second, of one core", "%", each / 10, Target.AtMost(1)));
    }

    private static int Scrape(HttpClient client) => Polling.Ask(client, s_metrics);
}
