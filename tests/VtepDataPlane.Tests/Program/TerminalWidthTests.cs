// Every table on a terminal of 40 columns, and names that would take a terminal over: no line is too wide, nothing is lost, and
// nothing but text comes out.

using System.Globalization;
using CsCheck;
using NUnit.Framework;
using Spectre.Console;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class TerminalWidthTests
{
    private const int Narrow = 40;
    private const string Hostile = "\u001b\u009b\u0007\u0000\n\r\t\u007f\u0085\u202e\u2066\u200b\u2028\u2029\ufeff[31m;x ";

    private static readonly Gen<string> s_name = Gen.OneOf(
        Gen.Char[Hostile].Array[0, 12].Select(chars => new string(chars)), Gen.String[0, 30], Gen.Char["abc-. "].Array[0, 90].Select(chars => new string(chars)));

    private static readonly Dictionary<string, Action<string, TextWriter, Terminal>> s_tables = new()
    {
        ["status"] = (name, output, terminal) => SnapshotTables.Write(Status(name), output, terminal),
        ["domains"] = (name, output, terminal) => SnapshotTables.Write(Domains(name), output, terminal),
        ["ports"] = (name, output, terminal) => SnapshotTables.Write(Ports(name), output, terminal),
        ["peers"] = (name, output, terminal) => SnapshotTables.Write(Peers(name), output, terminal),
        ["fdb"] = (name, output, terminal) => SnapshotTables.Write(Fdb(name), output, terminal),
        ["counters"] = (_, output, terminal) => SnapshotTables.Write(Counters(), output, terminal),
        ["neighbors"] = (_, output, terminal) => DirectoryTables.Write(Neighbors(), output, terminal),
        ["directory"] = (name, output, terminal) => DirectoryTables.Write(Content(name), output, terminal),
        ["diff"] = (name, output, terminal) => DirectoryTables.Write(Differences(name), output, terminal),
        ["any"] = AnyTable,
    };

    private static IEnumerable<string> Tables => s_tables.Keys;

    [TestCaseSource(nameof(Tables))]
    public void NoLine_IsWiderThanTheTerminal_AndNoLetterIsLost(string table)
    {
        foreach (string name in new[] { "a", "tap-blue", new string('x', 100), string.Join(' ', Enumerable.Repeat("some words", 20)), "名前が長い名前が長い名前が長い名前が長い名前が長い" })
        {
            string narrow = Drawn(table, name, new Terminal(false, Narrow));
            string wide = Drawn(table, name, Terminal.Plain);
            Assert.That(narrow.Split('\n').Select(line => line.GetCellWidth()), Is.All.LessThanOrEqualTo(Narrow), narrow);
            foreach (string word in wide.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Distinct().Where(word => word.Length <= Narrow / 2 - 4))
                Assert.That(narrow, Does.Contain(word), narrow);
            Assert.That(Letters(narrow, 'x'), Is.GreaterThanOrEqualTo(Letters(wide, 'x')), narrow);
        }
    }

    [TestCaseSource(nameof(Tables))]
    public void NothingButText_ComesOut_WhateverANameHasInIt(string table) => s_name.Sample(name =>
    {
        foreach (Terminal terminal in new[] { Terminal.Plain, new Terminal(false, Narrow), new Terminal(true, Narrow), new Terminal(true, 200) })
        {
            string drawn = Drawn(table, name, terminal);
            if (terminal.Ansi)
                drawn = drawn.Replace("\u001b[1m", "", StringComparison.Ordinal).Replace("\u001b[0m", "", StringComparison.Ordinal);
            if (drawn.Any(c => c != '\n' && IsControl(c)) || (terminal.Width == Narrow && drawn.Split('\n').Any(line => line.GetCellWidth() > Narrow)))
                return false;
        }

        return true;
    }, iter: 200);

    [Test]
    public void Pipe_HasOneLineForEachRow_WhateverANameHasInIt() => s_name.Sample(name =>
        Drawn("any", name, Terminal.Plain).Count(c => c == '\n') == 3, iter: 500);

    [TestCase("40", 80, 40)]
    [TestCase("132", 80, 132)]
    [TestCase("", 80, 80)]
    [TestCase("0", 80, 80)]
    [TestCase("-5", 80, 80)]
    [TestCase("wide", 80, 80)]
    [TestCase(null, 80, 80)]
    [TestCase("50", 0, 50)]
    public void Columns_SaysMoreThanTheTerminal(string? columns, int width, int expected) =>
        Assert.That(Terminal.Of(width, name => name == "COLUMNS" ? columns : null).Width, Is.EqualTo(expected));

    [Test]
    public void Records_AreFoldedInsideAWordThatIsTooLong()
    {
        var table = new TextTable("NAME", "WHY");
        table.Add(new string('x', 50), "because it is so, and there is nothing to be done");

        Assert.That(Drawn(table.Write, new Terminal(false, Narrow)), Is.EqualTo("""
            NAME  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                  xxxxxxxxxxxxxxxx
            WHY   because it is so, and there is
                  nothing to be done

            """));
    }

    private static bool IsControl(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static int Letters(string text, char letter) => text.Count(c => c == letter);

    private static string Drawn(string table, string name, Terminal terminal) => Drawn((output, where) => s_tables[table](name, output, where), terminal);

    private static string Drawn(Action<TextWriter, Terminal> write, Terminal terminal)
    {
        using var output = new StringWriter();
        write(output, terminal);
        return output.ToString();
    }

    private static void AnyTable(string name, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("NAME", "#N", "", "NOTE");
        table.Add(name, 1, name, "x");
        table.Add("y", long.MaxValue, null, name);
        table.Write(output, terminal);
    }

    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:01");
    private static readonly VtepEndpoint s_vtep = new(InetAddress.Parse("fd00:1111:2222:3333:4444:5555:6666:7777"), 4789);

    private static Dictionary<DropReason, long> Drops() => DropReasonText.All.ToArray().ToDictionary(reason => reason, _ => long.MaxValue / 100);

    private static ControllerSnapshot Controller(string name) => new(name, name, "degraded", name, 1500, 3, 7, 42, true, new Dictionary<string, int> { [name] = 3 }, 1,
        new Dictionary<string, long> { [name] = 4 }, 5, 2, new Dictionary<string, long> { [name] = 1 }, 6, 8, 10, 9, 1);

    private static VtepSnapshot Status(string name) => new(s_vtep.Address, 4789, true, 2, 3, 4, 5, 6, 262_144, [Controller(name)], [name, name]);

    private static DomainSnapshot[] Domains(string name) =>
        [new(name, new Vni(100), "static", null, [name, name], [s_vtep, s_vtep, s_vtep], 1450, 2, 8192, 300, 0, 0, 0, long.MaxValue, 20, long.MaxValue, 30, Drops())];

    private static PortSnapshot[] Ports(string name) => [new(name, new Vni(1), s_mac, 1450, true, long.MaxValue, long.MaxValue, 1, 2, Drops())];

    private static PeerSnapshot[] Peers(string name) => [new(s_vtep, "static", [.. Enumerable.Range(16_777_200, 9).Select(i => new Vni(i))], 1500, name, 7, 1, 2, 3, long.MaxValue)];

    private static FdbSnapshot[] Fdb(string name) => [new(new Vni(100), s_mac, "local", name, null, 3), new(new Vni(100), s_mac, "remote", null, s_vtep, 3)];

    private static CounterSnapshot Counters() => new(1, 2, 3, 4, 5, 6, Drops());

    private static NeighborSnapshot[] Neighbors() => [new(new Vni(100), s_vtep.Address, s_mac, true, false)];

    private static DirectoryContentSnapshot Content(string name) =>
        new([new(name, "mac", name, new Vni(100), s_mac, name, name, 3, true, 5, true, false, name)], [new(name, name, name, name, 9)]);

    private static DirectoryDifference[] Differences(string name) => [new(name, new Vni(100), "station", name, name, name)];
}
