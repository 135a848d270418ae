// What is on the wire, written by tcpdump and dissected by tshark: the judge that neither our code nor the kernel's is.

using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A running capture on one device.</summary>
internal sealed partial class Capture : IDisposable
{
    private const int SnapshotLength = 2048; // bytes, above the MTU of every underlay here
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"vtep-{Guid.NewGuid():N}.pcap");
    private readonly BackgroundProcess _tcpdump;
    private readonly string _where;

    /// <summary>Starts capturing; when this returns every further packet is caught.</summary>
    /// <param name="place">The namespace.</param>
    /// <param name="device">The device in it.</param>
    /// <param name="filter">A pcap-filter(7) expression.</param>
    public Capture(NetworkNamespace place, string device, string filter)
    {
        Requirements.Need("tcpdump", "tshark", "mergecap");
        _where = $"{place.Name} {device} '{filter}'";

        // Immediate mode, so that stopping it doesn't lose the packets of a block that isn't full yet. In this mode each packet takes
        // a slot of the snapshot length in the buffer, so both are chosen for 64 Ki packets: tcpdump shares the processors with what
        // it watches. -Z root, because the file lies in our folder.
        _tcpdump = place.Start("tcpdump",
            ["-Z", "root", "-n", "-i", device, "-s", $"{SnapshotLength}", "-B", $"{SnapshotLength * 64}", "--immediate-mode", "-w", _file, filter]);
        _tcpdump.WaitForLine("listening on");
    }

    /// <summary>Ends the capture; fails the test when packets were missed.</summary>
    public Dissection Stop()
    {
        Wait.Until("tcpdump has read all that came", HasReadAll, 10, () => _tcpdump.Text);
        _tcpdump.Signal("INT");
        _tcpdump.WaitForExit(TimeSpan.FromSeconds(10));
        Assert.That(Summary(DroppedByKernel()), Is.Zero, $"packets missed by tcpdump on {_where}, so that nothing is proved by the rest");
        return new Dissection(_file, _where, Summary(Captured()));
    }

    /// <summary>Kills tcpdump if it still runs and deletes the file.</summary>
    public void Dispose()
    {
        _tcpdump.Dispose();
        File.Delete(_file);
    }

    // What waits in the kernel's buffer when tcpdump is told to end, it doesn't read any more. In immediate mode it sleeps (in poll) only
    // while that buffer is empty, and the packet that ends this makes it runnable before whoever sent the packet goes on. Its own two
    // numbers don't tell: "received by filter" counts what came before the filter was in force too.
    private bool HasReadAll() => _tcpdump.HasExited || _tcpdump.IsAsleep;

    private int Summary(Regex line)
    {
        MatchCollection matches = line.Matches(_tcpdump.Text);
        Assert.That(matches, Is.Not.Empty, $"tcpdump ended without its summary: {_tcpdump.Text}");
        return int.Parse(matches[^1].Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"(\d+) packets? captured")]
    private static partial Regex Captured();

    [GeneratedRegex(@"(\d+) packets? dropped by kernel")]
    private static partial Regex DroppedByKernel();
}
