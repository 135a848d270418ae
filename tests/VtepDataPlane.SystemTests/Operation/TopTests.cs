// vtep top beside real traffic, and on a real terminal: script(1) gives it one, a shell waits for what must be seen there before it presses a key, sends
// a signal or makes the terminal narrower. Afterwards the terminal must be as it was. Ctrl-C goes to that terminal's shell as well: it traps it, for dash
// would end there (bash goes on, as its program did).

using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class TopTests
{
    private const string Enter = "\u001b[?1049h";
    private const string Leave = "\u001b[?25h\u001b[?1049l";

    private Lab? _lab;
    private VtepProcess? _one, _two;

    private VtepProcess One => _one!;

    [OneTimeSetUp]
    public void Start()
    {
        Requirements.Need("script", "stty", "ping");
        _lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        _one = new VtepProcess(_lab.Hosts[0], new LabDomain("blue", 100) { Peers = [_lab.Hosts[1].Underlay] });
        _two = new VtepProcess(_lab.Hosts[1], new LabDomain("blue", 100) { Peers = [_lab.Hosts[0].Underlay] });
        Ping.UntilReached(_one.Station, _two.Station.Address4);
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _one?.Dispose();
        _two?.Dispose();
        _lab?.Dispose();
    }

    [Test]
    public void Rates_AreThoseOfTheTraffic()
    {
        using BackgroundProcess ping = Ping.Start(One.Station, _two!.Station.Address4, interval: 0.01);
        JsonNode before = One.Show("domains")[0]!;
        long start = Stopwatch.GetTimestamp();
        string[] lines = One.Ask("top", "--json", "--interval", "0.7", "--count", "3").OrFail().Output.TrimEnd('\n').Split('\n');
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        JsonNode after = One.Show("domains")[0]!;
        Ping.StopAndRead(ping);

        Assert.That(lines, Has.Length.EqualTo(3));
        JsonNode last = JsonNode.Parse(lines[2])!;
        foreach (string way in new[] { "toUnderlay", "fromUnderlay" })
        {
            double frames = ((long)after[way]! - (long)before[way]!) / seconds, bits = 8 * ((long)after[way + "Bytes"]! - (long)before[way + "Bytes"]!) / seconds;
            JsonNode peer = last["peers"]![0]![way == "toUnderlay" ? "tx" : "rx"]!;
            foreach (JsonNode shown in new[] { last[way]!, last["domains"]![0]![way]!, peer })
            {
                Assert.That((double)shown["framesPerSecond"]!, Is.EqualTo(frames).Within(40).Percent, last.ToJsonString());
                Assert.That((double)shown["bitsPerSecond"]!, Is.EqualTo(bits).Within(40).Percent, last.ToJsonString());
            }
        }

        Assert.That((double?)JsonNode.Parse(lines[0])!["toUnderlay"]!["framesPerSecond"], Is.Null);
        Assert.That((double)last["seconds"]!, Is.GreaterThanOrEqualTo(0.7));
    }

    [TestCase("printf q", TestName = "{m}(q)")]
    [TestCase("kill -TERM $(cat pid)", TestName = "{m}(SIGTERM)")]
    [TestCase("printf '\\003'", TestName = "{m}(Ctrl-C)")]
    public void Terminal_IsFollowed_AndAsItWasAfterwards(string ending)
    {
        using var folder = new Folder();
        string top = string.Create(CultureInfo.InvariantCulture, $"trap : INT; tty > tty; stty cols 80 rows 24; stty -a > before; sh -c 'echo $$ > pid; exec {VtepProcess.Executable} top --interval 0.1 --socket {One.Socket}'; echo $? > code; stty cols 80 rows 24; stty -a > after");
        string seen = $"seen() {{ until grep -q \"$1\" typescript 2> /dev/null; do sleep 0.02; done; }}; "
            + $"{{ seen 'PEER .*TX/S .*STATE'; stty -F $(cat tty) cols 40; seen 'VNI  OUT BIT/S'; {ending}; until test -s after; do sleep 0.02; done; }} | ";

        RunOnATerminal(folder, seen, top);

        string typescript = folder.Read("typescript");
        Assert.That(folder.Read("code"), Is.EqualTo("0\n"), typescript);
        Assert.That(folder.Read("after"), Is.EqualTo(folder.Read("before")));
        Assert.That(typescript.Split(Enter), Has.Length.EqualTo(2));
        Assert.That(typescript.Split(Leave), Has.Length.EqualTo(2));
        Assert.That(typescript.IndexOf(Leave, StringComparison.Ordinal), Is.GreaterThan(typescript.LastIndexOf("\u001b[H", StringComparison.Ordinal)));
    }

    // The shell goes on when its program is stopped, and only brings it back when what was on the terminal until then is put aside.
    [Test]
    public void CtrlZ_GivesTheTerminalBack_UntilItGoesOn()
    {
        using var folder = new Folder();
        string top = $"tty > tty; stty cols 80 rows 24; stty -a > before; set -m; {VtepProcess.Executable} top --interval 0.1 --socket {One.Socket}; "
            + "stty -a > stopped; until test -e on; do sleep 0.02; done; fg; echo $? > code; stty -a > after";
        string hand = "await() { until eval \"$1\" 2> /dev/null; do sleep 0.02; done; }; taken() { test $(grep -ao 1049h typescript | wc -l) = $1; }; "
            + "{ await \"grep -q 'PEER .*TX/S' typescript\"; printf '\\032'; await 'test -s stopped'; cp typescript until; touch on; "
            + "await 'taken 2'; printf q; await 'test -s after'; } | ";

        RunOnATerminal(folder, hand, top);

        string stopped = folder.Read("until"), whole = folder.Read("typescript");
        Assert.That(folder.Read("stopped"), Is.EqualTo(folder.Read("before")));
        Assert.That(stopped.Split(Leave), Has.Length.EqualTo(2));
        Assert.That(stopped.LastIndexOf("\u001b[H", StringComparison.Ordinal), Is.LessThan(stopped.IndexOf(Leave, StringComparison.Ordinal)));
        Assert.That((folder.Read("code"), folder.Read("after")), Is.EqualTo(("0\n", folder.Read("before"))));
        Assert.That((whole.Split(Enter).Length, whole.Split(Leave).Length), Is.EqualTo((3, 3)));
    }

    [Test]
    public void WithoutATerminal_PicturesAreText()
    {
        CommandResult result = One.Ask("top", "--count", "2", "--interval", "0.1").OrFail();

        Assert.That(result.Output, Does.Not.Contain("\u001b"));
        Assert.That(result.Output, Does.Match(@"(?m)^blue +100 +- ").And.Match(@"(?m)^blue +100 +\d"));
    }

    // the hand presses keys, by what it sees in the files of the folder
    private static void RunOnATerminal(Folder folder, string hand, string program) =>
        Command.Run(TimeSpan.FromSeconds(20), "env", "-u", "NO_COLOR", "-u", "COLUMNS", "-u", "LINES", "-C", folder.Path, "TERM=xterm", "SHELL=/bin/sh", "timeout", "15", "bash", "-c",
            hand + $"script -qfc \"{program.Replace("$", "\\$", StringComparison.Ordinal)}\" typescript").OrFail();

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("vtep-test-").FullName;

        public string Read(string name) => File.ReadAllText(System.IO.Path.Combine(Path, name));

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
