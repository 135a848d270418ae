// Tables for people and for pipes, as exact text.

using NUnit.Framework;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class TextTableTests
{
    private static readonly FdbSnapshot[] s_fdb =
    [
        new(new Vni(100), MacAddress.Parse("02:00:5e:10:00:01"), "local", "tap-blue", null, 0),
        new(new Vni(16777215), MacAddress.Parse("02:00:5e:10:00:02"), "remote", null, new VtepEndpoint(InetAddress.Parse("fd00::2"), 4789), 299),
    ];

    [Test]
    public void Piped_IsPlainText_NeverCutNorPadded()
    {
        string text = Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(s_fdb, output, terminal));

        Assert.That(text, Is.EqualTo("""
                 VNI  MAC                KIND    PORT      VTEP              AGE
                 100  02:00:5e:10:00:01  local   tap-blue  -                 0 s
            16777215  02:00:5e:10:00:02  remote  -         [fd00::2]:4789  299 s

            """));
    }

    [Test]
    public void NarrowTerminal_GetsRecords_WithoutFoldedWords()
    {
        string text = Drawn(new Terminal(false, 40), (output, terminal) => SnapshotTables.Write(s_fdb, output, terminal));

        Assert.That(text, Is.EqualTo("""
            VNI   100
            MAC   02:00:5e:10:00:01
            KIND  local
            PORT  tap-blue
            VTEP  -
            AGE   0 s

            VNI   16777215
            MAC   02:00:5e:10:00:02
            KIND  remote
            PORT  -
            VTEP  [fd00::2]:4789
            AGE   299 s

            """));
    }

    [Test]
    public void WideLine_IsNotFolded_InAPipe()
    {
        string name = new('x', 500);
        var table = new TextTable("NAME", "#N");
        table.Add(name, 1);

        Assert.That(Drawn(Terminal.Plain, table.Write).Split('\n')[1], Is.EqualTo($"{name}  1"));
    }

    [TestCase("1", "xterm", false)]
    [TestCase("", "xterm", true)]
    [TestCase(null, "xterm-256color", true)]
    [TestCase(null, "dumb", false)]
    [TestCase(null, null, false)]
    public void EscapeSequences_AreUsed_WhereTheyAreWanted(string? noColor, string? term, bool expected)
    {
        Terminal terminal = Terminal.Of(80, name => name == "NO_COLOR" ? noColor : name == "TERM" ? term : null);

        string text = Drawn(terminal, (output, where) => SnapshotTables.Write(s_fdb, output, where));

        Assert.That((terminal.Ansi, terminal.Width), Is.EqualTo((expected, (int?)80)));
        Assert.That(text.Contains('\u001b'), Is.EqualTo(expected));
    }

    [Test]
    public void TerminalThatDoesNotSayItsWidth_IsTakenAsWide() =>
        Assert.That(Terminal.Of(0, _ => "xterm").Width, Is.Null);

    [Test]
    public void NamesFromOutside_AreShownAsText()
    {
        var table = new TextTable("NAME", "NOTE");
        table.Add("\u001b[31mred\n", "[bold]x[/]");

        Assert.That(Drawn(Terminal.Plain, table.Write), Is.EqualTo("NAME                 NOTE\n\\u001b[31mred\\u000a  [bold]x[/]\n"));
    }

    [Test]
    public void LongTable_HasOneWidth_FromTheFirstRowToTheLast()
    {
        var table = new TextTable("#N", "X");
        for (int i = 1; i <= 1_200; i++)
            table.Add(i, "x");

        string[] lines = Drawn(Terminal.Plain, table.Write).TrimEnd('\n').Split('\n');

        Assert.That(lines, Has.Length.EqualTo(1_201));
        Assert.That(lines[0], Is.EqualTo("   N  X"));
        Assert.That(lines[1], Is.EqualTo("   1  x"));
        Assert.That(lines[1_200], Is.EqualTo("1200  x"));
    }

    [Test]
    public void EmptyTable_IsItsHeader()
    {
        Assert.That(Drawn(Terminal.Plain, new TextTable("A", "B").Write), Is.EqualTo("A  B\n"));
        Assert.That(Drawn(new Terminal(false, 2), new TextTable("A", "B").Write), Is.EqualTo("A  B\n"));
    }

    [Test]
    public void Status_IsAListOfFields_WithWarnings()
    {
        var status = new VtepSnapshot(InetAddress.Parse("198.18.0.1"), 4789, true, 2, 3, 4, 5, 6, 262_144, [], ["Port tap-red is down."]);

        Assert.That(Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(status, output, terminal)), Is.EqualTo("""
            local                  198.18.0.1:4789
            local address present  yes
            workers                2
            bridge domains         3
            ports                  4
            peers                  5
            fdb entries            6 of 262144
            warning                Port tap-red is down.

            """));
    }

    [Test]
    public void ListOfFields_FoldsItsLastColumnBetweenWords_InANarrowTerminal()
    {
        var table = new TextTable("", "");
        table.Add("ports", 1);
        table.Add("warning", "Port tap-red is down; see to it that its bridge is there.");

        Assert.That(Drawn(new Terminal(false, 40), table.Write), Is.EqualTo("""
            ports    1
            warning  Port tap-red is down; see to it
                     that its bridge is there.

            """));
        Assert.That(Drawn(Terminal.Plain, table.Write), Does.EndWith("warning  Port tap-red is down; see to it that its bridge is there.\n"));
    }

    [Test]
    public void Counters_ShowEveryDropThatOccurred()
    {
        var counters = new CounterSnapshot(100, 20, 1, 40, 115, 40, new Dictionary<DropReason, long> { [DropReason.PeerUnknown] = 2, [DropReason.VniNotFound] = 3 });

        Assert.That(Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(counters, output, terminal)), Is.EqualTo("""
            COUNTER                 FRAMES
            received                   100
            replicated                  20
            originated                   1
            segmented                   40
            sent                       115
            coalesced                   40
            dropped: vni_not_found       3
            dropped: peer_unknown        2
            in work                      1

            """));
    }

    [Test]
    public void DomainsPortsAndPeers_HaveARowEach()
    {
        VtepEndpoint[] many = [.. Enumerable.Range(2, 6).Select(i => new VtepEndpoint(InetAddress.Parse($"198.18.0.{i}"), 4789))];
        DomainSnapshot[] domains =
        [
            new("blue", new Vni(100), "static", null, ["tap-blue"], many, 1450, 2, 8192, 300, 0, 0, 0, 10, 20, 1000, 2000, new Dictionary<DropReason, long>()),
            new("red", new Vni(200), "multicast", InetAddress.Parse("239.1.1.200"), [], [], 1450, 0, 8192, 300, 1, 0, 0, 0, 0, 0, 0,
                new Dictionary<DropReason, long> { [DropReason.NoTxTarget] = 4 }),
        ];
        PortSnapshot[] ports =
            [new("tap-blue", new Vni(100), MacAddress.Parse("02:00:5e:10:00:01"), 1450, false, 1, 60, 2, 120, new Dictionary<DropReason, long>())];
        PeerSnapshot[] peers = [new(many[0], "static", [new Vni(100), new Vni(200)], 0, "no-route", null, 1, 50, 2, 100)];

        Assert.That(Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(domains, output, terminal)), Is.EqualTo("""
            VNI  NAME  DISCOVERY  PORTS     FLOOD TO                                                             MTU  FDB  AGEING  MOVES  TO UNDERLAY  FROM UNDERLAY  DROPS
            100  blue  static     tap-blue  198.18.0.2:4789,198.18.0.3:4789,198.18.0.4:4789,198.18.0.5:4789,+2  1450    2     300      0           10             20      0
            200  red   multicast  -         239.1.1.200                                                         1450    0     300      1            0              0      4

            """));
        Assert.That(Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(ports, output, terminal)), Is.EqualTo("""
            NAME      VNI  STATE  MAC                 MTU  RX FRAMES  RX BYTES  TX FRAMES  TX BYTES  DROPS
            tap-blue  100  down   02:00:5e:10:00:01  1450          1        60          2       120      0

            """));
        Assert.That(Drawn(Terminal.Plain, (output, terminal) => SnapshotTables.Write(peers, output, terminal)), Is.EqualTo("""
            VTEP             KIND    STATE     VNIS     PATH MTU  IDLE  TX FRAMES  TX BYTES  RX FRAMES  RX BYTES
            198.18.0.2:4789  static  no-route  100,200         -     -          1        50          2       100

            """));
    }

    private static string Drawn(Terminal terminal, Action<TextWriter, Terminal> write)
    {
        using var output = new StringWriter();
        write(output, terminal);
        return output.ToString();
    }
}
