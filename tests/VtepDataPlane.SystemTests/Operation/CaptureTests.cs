// vtep capture and vtep explain beside real traffic: what tshark reads in the file is what the counters say, and what explain shows is what is captured.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class CaptureTests
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"vtep-{Guid.NewGuid():N}.pcapng");
    private Lab? _lab;
    private VtepProcess? _one, _two;

    private VtepProcess One => _one!;

    [OneTimeSetUp]
    public void Start()
    {
        Requirements.Need("tshark", "ping", "curl");
        _lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        _one = new VtepProcess(_lab.Hosts[0], new LabDomain("blue", 100) { Peers = [_lab.Hosts[1].Underlay] });
        _two = new VtepProcess(_lab.Hosts[1], new LabDomain("blue", 100) { Peers = [_lab.Hosts[0].Underlay] }, new LabDomain("red", 200) { Peers = [_lab.Hosts[0].Underlay] });
        Ping.UntilReached(_one.Station, _two.Station.Address4);
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _one?.Dispose();
        _two?.Dispose();
        _lab?.Dispose();
        File.Delete(_file);
    }

    private BackgroundProcess StartCapture(params string[] options)
    {
        int others = Running().Count;
        var capture = new BackgroundProcess(VtepProcess.Executable, ["capture", "--socket", One.Socket, .. options]);
        Wait.Until("the capture runs", () => Running().Count > others || capture.HasExited, 10, () => capture.Text);
        return capture;
    }

    private JsonArray Running() =>
        JsonNode.Parse(Command.Run("curl", "-s", "--unix-socket", One.Socket, "http://vtep/v1/capture").OrFail().Output)!.AsArray();

    private int Count(string filter) =>
        Command.Run("tshark", "-n", "-r", _file, "-Y", filter, "-T", "fields", "-e", "frame.number").OrFail().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    // Stations speak by themselves (neighbour discovery), so it is tried until nobody did between looking at the counters and starting or ending the capture.
    [Test]
    public void WhatIsInTheFile_IsWhatTheCountersSay()
    {
        JsonNode before, after;
        do
        {
            string unseen = One.Show("counters").ToJsonString();
            using BackgroundProcess capture = StartCapture("-w", _file);
            before = One.Show("counters");
            // frames of a VNI that One doesn't have, from red's TAP, and pings that are answered
            _two!.Host.Namespace.Exec("ping", "-c", "20", "-i", "0.01", One.Station.Address4.ToString());
            after = One.Show("counters");
            capture.Signal("INT");
            Assert.That(capture.WaitForExit(TimeSpan.FromSeconds(10)), Is.Zero, capture.Text);
            Assert.That(capture.Text, Does.Match(@"(?m)^\d+ frames? captured, 0 lost\.$"));
            if (unseen != before.ToJsonString() || One.Show("counters").ToJsonString() != after.ToJsonString())
                after = before; // once more
        }
        while (ReferenceEquals(before, after));

        long Grown(string counter) => (long)after[counter]! - (long)before[counter]!;
        Assert.That(Count("frame.comment contains \"verdict=sent\""), Is.EqualTo(Grown("sent") + Grown("coalesced")));
        JsonObject drops = after["drops"]!.AsObject();
        foreach ((string reason, JsonNode? count) in drops)
        {
            long grown = (long)count! - (long)(before["drops"]![reason] ?? 0);
            Assert.That(Count($"frame.comment contains \"verdict=dropped reason={reason}\""), Is.EqualTo(grown), reason);
        }

        Assert.That(Count("icmp.type == 8 && frame.packet_flags_direction == 1"), Is.GreaterThanOrEqualTo(20), "inbound");
        Assert.That(Count("icmp.type == 0 && frame.packet_flags_direction == 2"), Is.GreaterThanOrEqualTo(20), "outbound");
        Assert.That(Count("frame.interface_name == \"blue\" && icmp"), Is.GreaterThanOrEqualTo(40));
    }

    [Test]
    public void Filters_Count_AndStandardOutput_Work()
    {
        using BackgroundProcess ping = Ping.Start(_two!.Station, One.Station.Address4, interval: 0.05);
        CommandResult lines = One.Ask("capture", "--count", "5", "--vni", "100", "--peer", _lab!.Hosts[1].Underlay.ToString(), "--port", One.Station.Device, "--filter", "icmp and less 200");
        Assert.That(lines.OrFail().Output.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(5).And.All.Match(
            $@"^\d\d:\d\d:\d\d\.\d{{6}} vni=100 from=\S+ to=\S+ verdict=sent \| 98 bytes, \S+ to \S+, IPv4 \S+ to \S+, ICMP$"));
        Assert.That(lines.Error, Does.EndWith("5 frames captured, 0 lost.\n"));

        string pipe = $"{VtepProcess.Executable} capture --socket {One.Socket} -c 4 -w - | tshark -n -r - -T fields -e frame.number";
        CommandResult piped = Command.Run("sh", "-c", pipe).OrFail();
        Assert.That(piped.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(new[] { "1", "2", "3", "4" }));
        string broken = $"{VtepProcess.Executable} capture --socket {One.Socket} -w - | head -c 100 | wc -c";
        Assert.That(Command.Run("sh", "-c", broken).OrFail().Output.Trim(), Is.EqualTo("100"));
        Ping.StopAndRead(ping);
    }

    [TestCase("--filter 'tpc'", 2, "The filter can't be read: no such test is known")]
    [TestCase("--vni 99999999", 2, "--vni: '99999999' is no VNI; write a number from 0 to 16777215.")]
    [TestCase("--peer here", 2, "--peer: 'here' is no IP address; write the VTEP's, like 198.18.0.2 or fd00::2.")]
    [TestCase("--snaplen 0", 2, "A snapshot length of 0 is out of range; it must be 1 to 262144.")]
    [TestCase("--count 0", 2, "A limit of 0 frames is out of range; it must be 1 or more.")]
    [TestCase("-w /nowhere/at/all.pcapng", 1, "The capture can't be written to '/nowhere/at/all.pcapng'")]
    public void WhatCantBeCaptured_IsToldAtOnce(string options, int exitCode, string expected)
    {
        CommandResult result = Command.Run("sh", "-c", $"exec {VtepProcess.Executable} capture --socket {One.Socket} {options}");
        Assert.That(result.Error, Does.StartWith(expected));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
    }

    [Test]
    public void AFullDisk_EndsTheCapture_WithASentence()
    {
        using BackgroundProcess ping = Ping.Start(_two!.Station, One.Station.Address4, interval: 0.05);
        CommandResult result = One.Ask("capture", "-w", "/dev/full");
        Ping.StopAndRead(ping);
        Assert.That(result.Error, Does.Contain("\nThe capture can't be written to '/dev/full': No space left on device").And.EndsWith("Make room there, or choose another place.\n"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
    }

    [Test]
    public void AReaderThatStopsReading_HoldsNobodyUp()
    {
        using BackgroundProcess capture = StartCapture("-w", _file + ".stopped");
        capture.Signal("STOP");
        Ping.UntilReached(_two!.Station, One.Station.Address4);
        One.Host.Namespace.Exec("ping", "-c", "50", "-i", "0.005", "-s", "1300", _two.Station.Address4.ToString());
        capture.Signal("CONT");
        capture.Signal("TERM");
        Assert.That(capture.WaitForExit(TimeSpan.FromSeconds(10)), Is.Zero, capture.Text);
        File.Delete(_file + ".stopped");
        Wait.Until("the daemon has ended it", () => Running().Count == 0, 5, () => "");
    }

    [Test]
    public void Explain_SaysWhatACaptureOfTheSameFrameShows()
    {
        string frame = $"{_two!.Station.Mac}{One.Station.Mac}0800".Replace(":", "", StringComparison.Ordinal)
            + "4500001c000040004001" + "f1dc" + "c6120001" + "c6120002" + "0800f7ff00000000";
        string text = One.Ask("explain", "--vni", "100", "--frame", frame).OrFail().Output;
        Assert.That(text, Does.Contain("1. domain      VNI 100 is bridge domain blue").And.Contain($"Sent to {_lab!.Hosts[1].Underlay}:4789"));
        JsonNode json = JsonNode.Parse(One.Ask("explain", "--json", "--vni", "100", "--src", One.Station.Mac, "--dst", "ff:ff:ff:ff:ff:ff", "--arp", "198.19.0.9").OrFail().Output)!;
        Assert.That((string)json["outcomes"]![0]!["verdict"]!, Is.EqualTo("sent"));
        Assert.That((string)json["outcomes"]![0]!["outer"]!, Does.StartWith("4500"));

        CommandResult wrong = One.Ask("explain", "--vni", "100", "--frame", "xyz");
        Assert.That(wrong.Error, Is.EqualTo("--frame: 'xyz' isn't hexadecimal; write two digits a byte.\n"));
        Assert.That(wrong.ExitCode, Is.EqualTo(2));
        wrong = One.Ask("explain", "--vni", "300", "--frame", "00");
        Assert.That(wrong.Error, Is.EqualTo("There is no bridge domain with VNI 300, so no port a frame could come from.\n"));
        wrong = One.Ask("explain", "--vni", "100", "--src", One.Station.Mac);
        Assert.That(wrong.Error, Is.EqualTo("A frame is missing: give its bytes with --frame HEX, or its addresses with --src MAC --dst MAC.\n"));
    }
}
