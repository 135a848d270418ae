// Pictures of vtep top: what they show, on terminals of any size, of names from anybody; and the command against a daemon in this process.

using System.Globalization;
using System.Text.Json.Nodes;
using CsCheck;
using NUnit.Framework;
using Spectre.Console;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Daemon.Top;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class TopPictureTests
{
    private const string Hostile = "\u001b[31m\u202e\n\u009b名";

    private static readonly DateTimeOffset s_noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly TrafficRates s_busy = TrafficRates.Between(Samples.Busy(1), Samples.Busy(2));

    [Test]
    public void Picture_OfEightyColumns()
    {
        TrafficRates rates = TrafficRates.Between(
            Samples.Of(1, [Samples.Domain("blue", 100, (0, 0), (0, 0)), Samples.Domain("red", 200, (0, 0), (0, 0))], [Samples.Peer("198.18.0.2", idle: null)]),
            Samples.Of(2, [Samples.Domain("blue", 100, (0, 0), (0, 0)), Samples.Domain("red", 200, (81_234, 101_542_500), (7, 900), drops: 3)],
                [Samples.Peer("198.18.0.2", rx: (7, 900), tx: (81_234, 101_542_500), idle: 0)], drops: 3));

        Assert.That(Drawn(new TopPicture(rates, s_noon, 1), new Terminal(false, 80) { Height = 24 }), Is.EqualTo("""
            vtep 198.18.0.1:4789  12:00:00  every 1 s  domains 2  peers 1  fdb 5/262144
            out 81.2k frames/s 812M bit/s  in 7.0 frames/s 7.20k bit/s  drops 3.0/s

            DOMAIN  VNI  OUT/S  OUT BIT/S  IN/S  IN BIT/S  DROPS/S  FDB
            red     200  81.2k       812M   7.0     7.20k      3.0    3
            blue    100      0          0     0         0        0    3

            PEER              TX/S  TX BIT/S  RX/S  RX BIT/S  HEARD  STATE
            198.18.0.2:4789  81.2k      812M   7.0     7.20k    0 s  ok

            DROPPED FOR    DROPS/S  TOTAL
            vni_not_found      3.0      3
            """));
    }

    [Test]
    public void FirstPicture_HasDashesForRates() => Assert.That(
        Drawn(new TopPicture(TrafficRates.Between(null, Samples.Of(1, [], [Samples.Peer("198.18.0.2")], drops: 3)), s_noon, 0.5), Terminal.Plain), Is.EqualTo("""
        vtep 198.18.0.1:4789  12:00:00  every 0.5 s  domains 0  peers 1  fdb 5/262144
        out - frames/s - bit/s  in - frames/s - bit/s  drops -/s

        DOMAIN  VNI  OUT/S  OUT BIT/S  IN/S  IN BIT/S  DROPS/S  FDB
        none

        PEER             TX/S  TX BIT/S  RX/S  RX BIT/S  HEARD  STATE
        198.18.0.2:4789     -         -     -         -    3 s  ok

        DROPPED FOR    DROPS/S  TOTAL
        vni_not_found        -      3
        """));

    [TestCase(40)]
    [TestCase(80)]
    [TestCase(200)]
    public void Picture_FitsATerminalOfAnyHeight(int width)
    {
        for (int height = 1; height < 90; height++)
        {
            IReadOnlyList<TopLine> lines = new TopPicture(s_busy, s_noon, 1, "No vtep is listening on /run/vtep/vtep.sock.").Draw(new Terminal(true, width) { Height = height });
            Assert.That(lines, Has.Count.LessThanOrEqualTo(height));
            Assert.That(lines.Select(line => line.Text.GetCellWidth()), Is.All.LessThanOrEqualTo(width));
            if (height > 20)
                Assert.That(lines.Select(line => line.Text), Has.Some.Contains("domain-30").And.Some.Contains("198.18.1.30").And.Some.StartsWith("vni_not_found"));
        }
    }

    [Test]
    public void RowsThatDoNotFit_AreCounted()
    {
        string[] lines = Drawn(new TopPicture(s_busy, s_noon, 1), new Terminal(false, 80) { Height = 24 }).Split('\n');

        // 2 lines of header, 3 empty ones and 3 headers leave 16: the one reason, and what is left for domains and peers alike
        Assert.That(lines, Has.Length.EqualTo(23).Or.Length.EqualTo(24));
        Assert.That(lines.Where(line => line.StartsWith('…')), Is.EqualTo(new[] { "… and 24 more", "… and 23 more" }));
        Assert.That(Drawn(new TopPicture(s_busy, s_noon, 1), Terminal.Plain), Does.Not.Contain("…"));
    }

    [Test]
    public void FortyColumns_KeepNamesAndBits()
    {
        string drawn = Drawn(new TopPicture(s_busy, s_noon, 1), new Terminal(false, 40) { Height = 60 });

        Assert.That(drawn, Does.Match("(?m)^DOMAIN +VNI +OUT BIT/S +IN BIT/S$").And.Match("(?m)^PEER +TX BIT/S +RX BIT/S( +HEARD)?$"));
        Assert.That(drawn, Does.Match(@"(?m)^domain-30 +30 +24\.0M +24\.0k$"));
    }

    [Test]
    public void NothingButText_ComesOut_WhateverANameHasInIt() => Gen.Select(Gen.Char[Hostile].Array[0, 40], Gen.Int[1, 90], Gen.Int[1, 30]).Sample((name, width, height) =>
    {
        TrafficRates rates = TrafficRates.Between(null, Samples.Of(1, [Samples.Domain(new string(name), 1, default, default)], [], 0, new string(name), "x"));
        IReadOnlyList<TopLine> lines = new TopPicture(rates, s_noon, 1, new string(name)).Draw(new Terminal(true, width) { Height = height });
        return lines.Count <= height && lines.All(line => line.Text.GetCellWidth() <= width && !line.Text.Any(IsControl));
    }, iter: 500);

    [Test]
    public void RestartWarningsAndTrouble_AreSaid()
    {
        TrafficSample again = Samples.Busy(1);
        TrafficRates rates = TrafficRates.Between(Samples.Busy(2), again with { Status = again.Status with { Warnings = ["Port a is down.", "b", "c"] } });

        Assert.That(Drawn(new TopPicture(rates, s_noon, 1, "It is gone."), Terminal.Plain), Does.Contain("""
            The counters started anew: so did the daemon.
            Warning: Port a is down.
            … and 2 more warnings: vtep show status
            It is gone.

            """));
    }

    [TestCase(null, "-")]
    [TestCase(0.0, "0")]
    [TestCase(0.5, "0.5")]
    [TestCase(99.94, "99.9")]
    [TestCase(99.96, "100")]
    [TestCase(999.4, "999")]
    [TestCase(999.6, "1.00k")]
    [TestCase(9_996.0, "10.0k")]
    [TestCase(123_456.0, "123k")]
    [TestCase(12_345_678_901.0, "12.3G")]
    public void Rates_HaveThreeDigits(double? rate, string expected) => Assert.That(TopPicture.Shown(rate), Is.EqualTo(expected));

    [TestCase(10, new[] { 2, 3, 4 }, new[] { 2, 3, 4 })]
    [TestCase(10, new[] { 30, 1, 30 }, new[] { 4, 1, 5 })]
    [TestCase(2, new[] { 9, 9, 9 }, new[] { 0, 1, 1 })]
    [TestCase(-3, new[] { 9 }, new[] { 0 })]
    public void Lines_AreSharedOut(int lines, int[] wanted, int[] expected) => Assert.That(TopPicture.Share(lines, wanted), Is.EqualTo(expected));

    [Test]
    public void Keys_ChooseATable_AndAllOfThemAgain()
    {
        Assert.That(TopView.Chosen(TopTables.All, 'P'), Is.EqualTo(TopTables.Peers));
        Assert.That(TopView.Chosen(TopTables.Peers, 'd'), Is.EqualTo(TopTables.Domains));
        Assert.That(TopView.Chosen(TopTables.Peers, 'p'), Is.EqualTo(TopTables.All));
        Assert.That(TopView.Chosen(TopTables.Peers, 'x'), Is.EqualTo(TopTables.Peers));
        Assert.That(Drawn(new TopPicture(s_busy, s_noon, 1, Tables: TopTables.Peers), Terminal.Plain), Does.Contain("PEER").And.Not.Contain("DOMAIN"));
    }

    [Test]
    public async Task Command_PrintsPicturesOneAfterAnother_OrLinesOfJson()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(
            """{ "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "blue", "vni": 100, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } } ] }""");

        (int exitCode, string output, string errors) = await daemon.CommandAsync("top", "--count", "2", "--interval", "0.1");
        Assert.That((exitCode, errors), Is.EqualTo((0, "")));
        Assert.That(output.Split("vtep 198.18.0.1:4789  "), Has.Length.EqualTo(3));
        Assert.That(output, Does.Match(@"(?m)^blue +100 +- +- +- +- +- +0$").And.Match(@"(?m)^blue +100 +0 +0 +0 +0 +0 +0$"));

        (exitCode, output, errors) = await daemon.CommandAsync("top", "--count", "2", "--interval", "0.1", "--json");
        Assert.That((exitCode, errors), Is.EqualTo((0, "")));
        JsonNode[] lines = [.. output.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!)];
        Assert.That(lines[0]["domains"]!.ToJsonString(), Is.EqualTo("""
            [{"name":"blue","vni":100,"toUnderlay":{"framesPerSecond":null,"bitsPerSecond":null},"fromUnderlay":{"framesPerSecond":null,"bitsPerSecond":null},"dropsPerSecond":null,"fdbEntries":0}]
            """));
        Assert.That(((double)lines[1]["seconds"]!, (double)lines[1]["toUnderlay"]!["bitsPerSecond"]!, (string)lines[1]["peers"]![0]!["endpoint"]!),
            Is.EqualTo((0.1, 0.0, "198.18.0.2:4789")).Using<(double Seconds, double, string)>((a, b) => a.Seconds is >= 0.1 and < 60 && a.Item2 == b.Item2 && a.Item3 == b.Item3));
    }

    private static bool IsControl(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Drawn(TopPicture picture, Terminal terminal) => string.Join('\n', picture.Draw(terminal).Select(line => line.Text));
}
