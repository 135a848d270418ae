// samples/MirrorSink over loopback: what is sent to it is in the file, as tshark reads it, and in the counts.

using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.Tests;

namespace VtepDataPlane.SystemTests.Samples;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed partial class MirrorSinkTests
{
    private string _file = "";

    [SetUp]
    public void ChooseFile() => _file = Path.Combine(Path.GetTempPath(), $"vtep-{Guid.NewGuid():N}.pcapng");

    [TearDown]
    public void DeleteFile() => File.Delete(_file);

    [Test]
    public void WhatIsMirrored_IsInTheFile_AnInterfaceAVni_AndCounted()
    {
        using BackgroundProcess sink = Start(out IPEndPoint port, "--snaplen", "80");
        using var sender = new UdpClient();
        for (int i = 0; i < 100; i++)
        {
            Send(sender, port, vni: 7, TestFrames.Udp(payload: TestFrames.Pattern(100)));
            Send(sender, port, vni: 16_777_215, TestFrames.IcmpEcho(sequence: i));
        }

        sender.Send([8, 0, 0], port);
        sender.Send([0, 0, 0, 0, 0, 0, 7, 0, .. TestFrames.Udp()], port);
        Send(sender, port, vni: 7, new byte[13]);
        WaitUntilWritten(packets: 200);
        sink.Signal("TERM");

        Assert.That(sink.WaitForExit(TimeSpan.FromSeconds(5)), Is.Zero, sink.Text);
        Assert.That(sink.Lines.Skip(1), Is.EqualTo(new[]
        {
            "VNI 7: 100 frames", "VNI 16777215: 100 frames",
            "vxlan_truncated: 1 datagrams", "vxlan_invalid_header: 1 datagrams", "frame_truncated: 1 datagrams",
        }));
        Assert.That(Count("frame.interface_name == \"vni7\" && udp.dstport == 20000 && frame.len == 142 && frame.cap_len == 80"), Is.EqualTo(100));
        Assert.That(Count("frame.interface_name == \"vni16777215\" && icmp.type == 8"), Is.EqualTo(100));
    }

    [Test]
    public void ItEndsByItself_WhenItHasEnough()
    {
        using BackgroundProcess sink = Start(out IPEndPoint port, "--count", "3");
        using var sender = new UdpClient();
        for (int i = 0; i < 3; i++)
            Send(sender, port, vni: 1, TestFrames.Arp());
        Assert.That(sink.WaitForExit(TimeSpan.FromSeconds(5)), Is.Zero, sink.Text);
        Assert.That(Count("arp"), Is.EqualTo(3));
    }

    [Test]
    public void AFileThatCannotBeWritten_IsAnError_NotASilence()
    {
        using var sink = new BackgroundProcess(SampleProgram.Path("MirrorSink"), ["-w", "/dev/full", "--port", "0"]);
        using var sender = new UdpClient();
        Wait.Until("it has ended", () =>
        {
            if (PortOf(sink, out IPEndPoint port)) // the file's head is refused already, so it may end before it is asked for the first time
                Send(sender, port, vni: 1, TestFrames.Arp());
            return sink.HasExited;
        });
        Assert.That(sink.WaitForExit(TimeSpan.FromSeconds(5)), Is.EqualTo(1));
        Assert.That(sink.Text, Does.Contain("The capture could not be written to the end: No space left on device"));
    }

    private BackgroundProcess Start(out IPEndPoint port, params string[] options)
    {
        Requirements.Need("tshark");
        var sink = new BackgroundProcess(SampleProgram.Path("MirrorSink"), ["-w", _file, "--port", "0", .. options]);
        sink.WaitForLine("Capturing");
        Assert.That(PortOf(sink, out port), sink.Text);
        return sink;
    }

    private static bool PortOf(BackgroundProcess sink, out IPEndPoint port)
    {
        Match match = PortTold().Match(sink.Text);
        port = new IPEndPoint(IPAddress.Loopback, match.Success ? int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : 0);
        return match.Success;
    }

    private static void Send(UdpClient sender, IPEndPoint port, int vni, byte[] frame) =>
        sender.Send([8, 0, 0, 0, (byte)(vni >> 16), (byte)(vni >> 8), (byte)vni, 0, .. frame], port);

    private void WaitUntilWritten(int packets) => Wait.Until($"{packets} packets are in the file", () => Count("frame") == packets, 10);

    private int Count(string filter)
    {
        CommandResult read = Command.Run("tshark", "-n", "-r", _file, "-Y", filter, "-T", "fields", "-e", "frame.number");
        return read.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
    }

    [GeneratedRegex(@"UDP port (\d+)")]
    private static partial Regex PortTold();
}
