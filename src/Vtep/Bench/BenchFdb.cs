// The FDB alone, filled to its capacity, and stations of it in random order.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>A table to be measured. One thread.</summary>
internal sealed class BenchFdb
{
    /// <summary>Operations of one step.</summary>
    public const int Operations = 4096;

    private const int Domain = 1;
    private const uint Now = 1;
    private static readonly FdbTarget s_target = FdbTarget.LearnedRemote(1);

    private readonly MacAddress[] _macs = new MacAddress[Operations];
    private readonly Fdb _fdb;

    /// <summary>Makes a table for so many entries, and learns them.</summary>
    public BenchFdb(int entries)
    {
        _fdb = new Fdb(entries, seed: 0x1234_5678);
        for (int i = 0; i < entries; i++)
            _fdb.Learn(Domain, Mac(i), s_target, Now, entries);
        var random = new Random(1);
        for (int i = 0; i < Operations; i++)
            _macs[i] = Mac(random.Next(entries));
    }

    /// <summary>Entries found of those looked up last.</summary>
    public int Found { get; private set; }

    /// <summary>Looks stations up. Returns how many.</summary>
    public int Lookup()
    {
        int found = 0;
        foreach (MacAddress mac in _macs)
            found += _fdb.Lookup(Domain, mac).Id;
        Found = found;
        return Operations;
    }

    /// <summary>Learns what is known since this second: nothing is written. Returns how many.</summary>
    public int LearnKnown()
    {
        int news = 0;
        foreach (MacAddress mac in _macs)
            news += (int)_fdb.Learn(Domain, mac, s_target, Now, int.MaxValue);
        Found = Operations - news;
        return Operations;
    }

    private static MacAddress Mac(int i) => new(0x0200_0000_0000UL + (uint)i);
}
