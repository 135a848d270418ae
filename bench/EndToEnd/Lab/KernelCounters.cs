// Counts what arrives in a namespace, by the kernel's own counters, read through a file that belongs to the namespace it was opened in.
//
//   datagrams   IpExt InNoECTPkts + InECT1Pkts + InECT0Pkts + InCEPkts of /proc/net/netstat: every IPv4 packet that arrives, before any hook; a
//               train that arrives whole counts as the datagrams in it (ip_rcv_core adds gso_segs)
//   frames      Udp InErrors of /proc/net/snmp less InCsumErrors, RcvbufErrors and MemErrors: packets that a deaf socket's filter threw away, and
//               not those that the contender's own full socket lost; super-frames are segmented before the filter, so each frame counts

using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>A counter of a namespace.</summary>
internal sealed class KernelCounters : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _table;
    private readonly string[] _plus;
    private readonly string[] _minus;
    private readonly byte[] _text = new byte[64 * 1024];

    private KernelCounters(Host host, string file, string table, string[] plus, string[] minus)
    {
        _file = host.Inside(() => File.OpenHandle($"/proc/thread-self/net/{file}"));
        (_table, _plus, _minus) = ($"{table}:", plus, minus);
    }

    /// <summary>IPv4 datagrams that arrive.</summary>
    public static KernelCounters Datagrams(Host host) =>
        new(host, "netstat", "IpExt", ["InNoECTPkts", "InECT1Pkts", "InECT0Pkts", "InCEPkts"], []);

    /// <summary>Frames that arrive for a deaf socket.</summary>
    public static KernelCounters DeafFrames(Host host) => new(host, "snmp", "Udp", ["InErrors"], ["InCsumErrors", "RcvbufErrors", "MemErrors"]);

    /// <summary>UDP packets with wrong checksums.</summary>
    public static KernelCounters WrongChecksums(Host host) => new(host, "snmp", "Udp", ["InCsumErrors"], []);

    /// <summary>The count now.</summary>
    public long Read()
    {
        int length = RandomAccess.Read(_file, _text, 0);
        string[] lines = Encoding.ASCII.GetString(_text, 0, length).Split('\n');
        int names = Array.FindIndex(lines, line => line.StartsWith(_table, StringComparison.Ordinal));
        var values = lines[names].Split(' ').Zip(lines[names + 1].Split(' ')).ToDictionary();
        return Sum(values, _plus) - Sum(values, _minus);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static long Sum(Dictionary<string, string> values, string[] names) =>
        names.Sum(name => long.Parse(values[name], CultureInfo.InvariantCulture));
}
