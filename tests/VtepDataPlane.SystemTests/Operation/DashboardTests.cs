// The dashboard in a real browser: three hosts, traffic between them, and Chromium on the first host's loopback. What the page shows is compared with
// what the commands say. With VTEP_SCREENSHOT=FILE.png the picture in the README is made as well: traffic changes until the plots are full, which
// takes five minutes, and the page is written there, and as FILE-dark.png and FILE-narrow.png:
//
//   VTEP_SCREENSHOT=/tmp/dashboard.png dotnet test tests/VtepDataPlane.SystemTests -c Release --filter FullyQualifiedName~DashboardTests

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed partial class DashboardTests
{
    private const string Address = "127.0.0.1:9478";
    private static readonly string? s_picture = Environment.GetEnvironmentVariable("VTEP_SCREENSHOT");
    private static readonly string s_odd = s_picture is null ? "<img src=x onerror=alert(1)>" : "storage";

    private readonly List<BackgroundProcess> _traffic = [];
    private Lab? _lab;
    private VtepRun? _run;
    private VtepProcess? _two;
    private VtepProcess? _three;
    private Browser? _browser;

    private LabHost One => _lab!.Hosts[0];

    private LabHost Two => _lab!.Hosts[1];

    private LabHost Three => _lab!.Hosts[2];

    private IPage Page => _browser!.Page;

    [OneTimeSetUp]
    public async Task StartEverything()
    {
        Requirements.Need("chromium", "ping");
        _lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 3);
        JsonObject configuration = VtepRun.Configuration($"{One.Underlay}",
            Domain("blue", 100, 0, $"{Two.Underlay}", $"{Three.Underlay}"), Domain("red", 200, 1, $"{Two.Underlay}"),
            Domain("green", 300, 2, $"{Three.Underlay}", "198.18.0.7"), Domain("odd", 400, 3));
        configuration["bridgeDomains"]![3]!["name"] = s_odd;
        configuration["control"] = new JsonObject { ["http"] = Address, ["dashboard"] = true };
        _run = new VtepRun(One.Namespace, configuration);
        _run.Start();
        _two = new VtepProcess(Two, Remote("blue", 100, 0), Remote("red", 200, 1), Remote("stray", 999, 7));
        _three = new VtepProcess(Three, Remote("blue", 100, 0), Remote("green", 300, 2));
        Ping.UntilReached(One.Station("tap-blue"), Two.Station("tap-blue").Address4);
        StartTraffic("tap-blue", 0, Two, 0.01);
        StartTraffic("tap-blue", 0, Three, 0.02);
        StartTraffic("tap-red", 1, Two, 0.05);
        StartTraffic("tap-green", 2, Three, 0.1);
        _browser = await Browser.StartAsync(One.Namespace, new ViewportSize { Width = 1280, Height = 900 });
        await Page.GotoAsync($"http://{Address}/");
        await Assertions.Expect(Page.Locator("#health")).ToHaveTextAsync("healthy");
    }

    [OneTimeTearDown]
    public async Task StopEverything()
    {
        _run?.Stop(); // with the page open
        if (_browser is not null)
            await _browser.DisposeAsync();
        _traffic.ForEach(ping => ping.Dispose());
        _run?.Dispose();
        _two?.Dispose();
        _three?.Dispose();
        _lab?.Dispose();
    }

    [Test]
    public async Task TheTopology_HasThisVtep_ItsDomains_AndItsPeers()
    {
        ILocator drawing = Page.Locator("#topology svg");
        await Assertions.Expect(drawing.Locator(".hub")).ToContainTextAsync($"{One.Underlay}");
        await Assertions.Expect(drawing.Locator(".node.domain")).ToHaveCountAsync(4);
        await Assertions.Expect(drawing.Locator(".node.peer")).ToHaveCountAsync(3);
        await Assertions.Expect(drawing.Locator("path.link:not(.idle)")).Not.ToHaveCountAsync(0);
        Assert.That(await drawing.Locator(".node.peer").First.Locator(".dot").CountAsync(), Is.EqualTo(2), "198.18.0.2 is in blue and red");
    }

    // axe-core judges by WCAG: names and roles for who hears the page, contrast for who hardly sees it.
    [TestCase(ColorScheme.Light)]
    [TestCase(ColorScheme.Dark)]
    public async Task ThePage_IsForThoseWhoHearItToo(ColorScheme scheme)
    {
        await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });

        AxeResult result = await Page.RunAxe();

        Assert.That(result.Passes, Is.Not.Empty);
        Assert.That(result.Violations.Select(fault => $"{fault.Id}: {fault.Help}: {string.Join(", ", fault.Nodes.Select(node => node.Html))}"), Is.Empty);
    }

    [Test]
    public async Task Rates_ArePlotted()
    {
        await Assertions.Expect(Page.Locator("#plot-bits path.edge[data-series=blue]")).ToHaveAttributeAsync("d", SomePoints());
        await Assertions.Expect(Page.Locator("#plot-frames .total")).ToHaveTextAsync(Rate());
        await Assertions.Expect(Page.Locator("#plot-bits .legend li")).ToHaveCountAsync(3);
    }

    [Test]
    public async Task TheSearch_FindsAStation_AndNoOther()
    {
        string mac = Two.Station("tap-blue").Mac;
        await SearchAsync(mac[6..]);
        Assert.That(await Page.Locator("#fdb tbody tr").AllInnerTextsAsync(), Has.Count.EqualTo(1).And.All.Contains(mac).And.All.Contains("198.18.0.2:4789").And.All.Contains("blue"));

        await SearchAsync("vni:300");
        Assert.That(await Page.Locator("#fdb tbody td:nth-child(2)").AllInnerTextsAsync(), Is.Not.Empty.And.All.EqualTo("300"));
        await SearchAsync("de:ad:be:ef");
        Assert.That(await Page.Locator("#fdb tbody").InnerTextAsync(), Is.EqualTo("No station fits this search."));

        await Page.Locator("#domains button", new() { HasText = "100" }).ClickAsync();
        await Assertions.Expect(Page.Locator("#fdb")).ToHaveAttributeAsync("data-words", "vni:100");
        Assert.That(await Page.Locator("#fdb tbody td:nth-child(3)").AllInnerTextsAsync(), Is.Not.Empty.And.All.EqualTo("blue"));
    }

    [Test]
    public async Task ADropReason_AppearsWhenItIsProvoked_WithWhatItMeans()
    {
        ProvokeDrop();
        ILocator row = Page.Locator("#drops tbody tr", new() { HasText = "vni_not_found" });
        await Assertions.Expect(row).ToContainTextAsync("No bridge domain has this VNI");
        Assert.That(_run!.Drops("vni_not_found"), Is.Positive);
    }

    [Test]
    public async Task AHostileName_StaysText()
    {
        await Assertions.Expect(Page.Locator("#domains tbody th").Last).ToHaveTextAsync(s_odd);
        await Assertions.Expect(Page.Locator("#topology .node.domain title").Last).ToContainTextAsync(s_odd);
        Assert.That(await Page.Locator("img").CountAsync(), Is.Zero);
    }

    [Test]
    public async Task TheNumbersShown_AreThoseOfTheCommands()
    {
        ProvokeDrop();
        _traffic.ForEach(ping => ping.Signal("STOP"));
        string shown = "", said = "";
        for (int tries = 0; tries < 20 && (said.Length == 0 || shown != said); tries++)
        {
            string before = Said();
            await Page.WaitForFunctionAsync("before => document.querySelector('#facts').innerText !== before", await Page.Locator("#facts").InnerTextAsync());
            shown = await ShownAsync();
            said = Said() is string after && after == before ? after : ""; // at rest: nothing moved meanwhile
        }

        _traffic.ForEach(ping => ping.Signal("CONT"));
        Assert.That(shown, Is.EqualTo(said).And.Contain("vni_not_found").And.Contain("tap-blue"));
    }

    [Test]
    public async Task OnAPhone_NothingSticksOut()
    {
        await Page.SetViewportSizeAsync(360, 740);
        await Assertions.Expect(Page.Locator("#topology svg")).ToBeVisibleAsync();
        Assert.That(await Page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(360));
        if (s_picture is not null)
            await TakePicturesAsync(s_picture);
        await Page.SetViewportSizeAsync(1280, 900);
    }

    [Test]
    public async Task ADaemonThatDoesNotAnswer_IsSaid_UntilItDoes()
    {
        await Page.Context.SetOfflineAsync(true);
        await Assertions.Expect(Page.Locator("#silence")).ToContainTextAsync("The daemon doesn't answer (no connection). What is shown is of ");
        await Assertions.Expect(Page.Locator("#health")).ToHaveTextAsync("no answer");
        await Page.Context.SetOfflineAsync(false);
        await Assertions.Expect(Page.Locator("#silence")).ToBeHiddenAsync();
        await Assertions.Expect(Page.Locator("#health")).ToHaveTextAsync("healthy");
        Assert.That(_browser!.TakeComplaints(), Has.All.Contains("ERR_INTERNET_DISCONNECTED"));
    }

    [TearDown]
    public void NothingWentWrongInThePage()
    {
        Assert.That(_browser!.TakeComplaints(), Is.Empty);
        Assert.That(_browser.Asked, Has.All.StartsWith($"http://{Address}/"));
    }

    private async Task SearchAsync(string words)
    {
        await Page.FillAsync("#fdb-find", words);
        await Assertions.Expect(Page.Locator("#fdb")).ToHaveAttributeAsync("data-words", words);
    }

    private string Said()
    {
        IEnumerable<string> ports = _run!.Show("ports").AsArray().Select(port => $"{port!["name"]} {port["rxFrames"]} {port["txFrames"]}");
        IEnumerable<string> peers = _run.Show("peers").AsArray().Select(peer => $"{peer!["endpoint"]} {peer["txFrames"]} {peer["rxFrames"]}");
        IEnumerable<string> drops = _run.Show("counters")["drops"]!.AsObject().Select(drop => $"{drop.Key} {drop.Value}");
        return string.Join('\n', [.. ports, .. peers, .. drops.Order(StringComparer.Ordinal)]);
    }

    private async Task<string> ShownAsync()
    {
        const string Read = """
            () => {
              const rows = (id, cells) => [...document.querySelectorAll(`#${id} tbody tr`)].map(row => cells.map(i => row.children[i].innerText.replaceAll(",", "")).join(" "));
              return [...rows("ports", [0, 7, 8]), ...rows("peers", [0, 8, 9]), ...rows("drops", [0, 1]).sort()].join("\n");
            }
            """;
        return await Page.EvaluateAsync<string>(Read);
    }

    // Every five seconds another ping sends large packets as fast as it may.
    private async Task TakePicturesAsync(string file)
    {
        (string Tap, int Overlay, LabHost To, string Interval)[] loads = [("tap-blue", 0, Two, "0.002"), ("tap-red", 1, Two, "0.004"), ("tap-green", 2, Three, "0.003"), ("tap-blue", 0, Three, "0.005")];
        for (int i = 0; i < 64; i++)
        {
            (string tap, int overlay, LabHost to, string interval) = loads[(i * i + i / 5) % loads.Length];
            using BackgroundProcess load = One.Namespace.Start("ping", ["-q", "-s", "1350", "-i", interval, $"{to.Station(tap, overlay).Address4}"]);
            if (i % 8 == 7)
                ProvokeDrop();
            await Page.WaitForTimeoutAsync(4_700);
        }

        await SearchAsync("");
        await PictureAsync(file, ColorScheme.Light, 1280);
        await PictureAsync(Path.ChangeExtension(file, null) + "-dark.png", ColorScheme.Dark, 1280);
        await PictureAsync(Path.ChangeExtension(file, null) + "-narrow.png", ColorScheme.Light, 360);
    }

    private async Task PictureAsync(string file, ColorScheme colors, int width)
    {
        await Page.EmulateMediaAsync(new() { ColorScheme = colors });
        await Page.SetViewportSizeAsync(width, 900);
        string shown = await Page.Locator("#facts").InnerTextAsync();
        await Page.WaitForFunctionAsync("before => document.querySelector('#facts').innerText !== before", shown); // drawn in this size
        await Page.ScreenshotAsync(new() { Path = file, FullPage = true });
    }

    // A question for an address, in a domain that the first host doesn't have.
    private void ProvokeDrop() => _ = Ping.Run(Two.Station("tap-stray", 7), IPAddress.Parse("198.19.7.9"), count: 1);

    private void StartTraffic(string tap, int overlay, LabHost to, double interval) =>
        _traffic.Add(Ping.Start(One.Station(tap, overlay), to.Station(tap, overlay).Address4, interval));

    private JsonObject Domain(string name, int vni, int overlay, params IEnumerable<string> peers)
    {
        JsonObject domain = VtepRun.Domain(name, vni, peers);
        domain["ports"]![0]!["addresses"] = new JsonArray([.. One.Station($"tap-{name}", overlay).Prefixes.Select(prefix => JsonValue.Create(prefix))]);
        return domain;
    }

    private LabDomain Remote(string name, int vni, int overlay) => new(name, vni) { Peers = [One.Underlay], Overlay = overlay };

    [GeneratedRegex(@"^M[0-9.]+ [0-9.]+(L[0-9.]+ [0-9.]+){2,}$")]
    private static partial Regex SomePoints();

    [GeneratedRegex(@"^[1-9][0-9.]* k?/s$")]
    private static partial Regex Rate();
}
