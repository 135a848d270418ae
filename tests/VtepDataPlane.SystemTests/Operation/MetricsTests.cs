// The daemon's metrics as others read them: promtool judges the text and the alert rules, and a real Prometheus scrapes the OpenMetrics variant
// over TCP, from inside the host's namespace, and its sums are those of 'vtep show counters'.

using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // it waits more than it works
internal sealed class MetricsTests
{
    private const string Prometheus = "http://127.0.0.1:9090";

    private static string Rules => Path.Combine(NativeProgram.Root, "src/Vtep/packaging/prometheus/vtep.rules.yml");

    [Test]
    public async Task PromtoolFindsNothingWrong_AndPrometheusHasTheSumsOfTheCounters()
    {
        Requirements.Need("promtool", "prometheus");
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        (LabHost one, LabHost two) = (lab.Hosts[0], lab.Hosts[1]);
        JsonObject domain = VtepRun.Domain("blue", 100, $"{two.Underlay}");
        Station here = one.Station("tap-blue");
        domain["ports"]![0]!["addresses"] = new JsonArray([.. here.Prefixes.Select(prefix => JsonValue.Create(prefix))]);
        JsonObject configuration = VtepRun.Configuration($"{one.Underlay}", domain, VtepRun.Domain("empty", 200));
        configuration["control"] = new JsonObject { ["http"] = "127.0.0.1:9478" };
        using var run = new VtepRun(one.Namespace, configuration);
        run.Start();
        using var other = new VtepProcess(two, new LabDomain("blue", 100) { Peers = [one.Underlay] });
        Ping.UntilReached(here, other.Station.Address4);

        using var folder = new Folder();
        await File.WriteAllTextAsync(folder.File("metrics"), await TextAsync(run.Socket));
        string complaints = Shell($"promtool check metrics < {folder.File("metrics")}");
        Assert.That(complaints, Is.Empty);
        Assert.That(Command.Run("promtool", "check", "rules", Rules).OrFail().Output, Does.Contain("SUCCESS"));

        await File.WriteAllTextAsync(folder.File("prometheus.yml"), $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
            rule_files: [ {{Rules}} ]
            scrape_configs:
              - job_name: vtep
                static_configs: [ { targets: [ "127.0.0.1:9478" ] } ]
            """);
        using BackgroundProcess prometheus = one.Namespace.Start("prometheus",
        [
            $"--config.file={folder.File("prometheus.yml")}", $"--storage.tsdb.path={folder.File("data")}", "--web.listen-address=127.0.0.1:9090", "--log.level=warn",
        ]);
        Wait.Until("Prometheus has scraped", () => Query(one, "up{job=\"vtep\"}") == 1, 15, () => prometheus.Text);

        JsonNode before = run.Show("counters");
        Wait.Until("Prometheus has scraped what was counted",
            () => Query(one, "vtep_frames_received_total") >= (long)before["received"]! && Query(one, "sum(vtep_drops_total) or vector(0)") >= Drops(before), 10,
            () => $"{Query(one, "vtep_frames_received_total")} of {before}");
        double received = Query(one, "vtep_frames_received_total"), drops = Query(one, "sum(vtep_drops_total) or vector(0)");
        JsonNode after = run.Show("counters");
        Assert.That(received, Is.LessThanOrEqualTo((long)after["received"]!));
        Assert.That(drops, Is.LessThanOrEqualTo(Drops(after)));
        Assert.That(Query(one, $"sum(vtep_peer_frames_total{{vni=\"100\",peer=\"{two.Underlay}:4789\",direction=\"tx\"}})"), Is.GreaterThan(0));
        Assert.That(Query(one, "count(ALERTS{alertname=\"VtepDown\"}) or vector(0)"), Is.Zero);
        Assert.That(prometheus.Text, Does.Not.Contain("err="));
        run.Stop();
        other.Stop();
    }

    private static long Drops(JsonNode counters) => counters["drops"]!.AsObject().Sum(reason => (long)reason.Value!);

    // NaN as long as there is no answer, which no comparison is true of
    private static double Query(LabHost host, string expression)
    {
        CommandResult result = host.Namespace.Try(Command.UsualLimit, "promtool", "query", "instant", Prometheus, expression);
        string[] words = result.Output.Split("=> ");
        return result.ExitCode == 0 && words.Length == 2 ? double.Parse(words[1].Split(' ')[0], CultureInfo.InvariantCulture) : double.NaN;
    }

    private static string Shell(string line)
    {
        CommandResult result = Command.Run("sh", "-c", line);
        return result.Output + result.Error + (result.ExitCode == 0 ? "" : $"exit code {result.ExitCode}");
    }

    private static async Task<string> TextAsync(string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        return await client.GetStringAsync("http://vtep/metrics");
    }

    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("vtep-test-").FullName;

        public string File(string name) => Path.Combine(_path, name);

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
