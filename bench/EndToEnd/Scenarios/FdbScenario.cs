// What a lookup costs among so many entries, in this process, on one core: hits in random order, a million of them in a row, so that neither
// table nor order fits into a cache unless the table does.

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Lookup cost by number of entries.</summary>
internal sealed class FdbScenario(string name, int entries) : Scenario(name, "ns")
{
    private const int Lookups = 1 << 20;
    private const int Domain = 1;
    private const double LongestMeasure = 1;
    private Fdb? _fdb;
    private MacAddress[] _macs = [];

    /// <inheritdoc/>
    public override Needs Needs => Needs.InProcess;

    /// <inheritdoc/>
    public override string Note => $"One lookup among {entries:N0} entries, hits in random order; in process. Less is better.";

    /// <inheritdoc/>
    public override Sample Measure(Contender contender, Timing timing)
    {
        Prepare();
        double seconds = Math.Min(timing.Seconds, LongestMeasure);
        _ = NanosecondsFor(seconds / 2);
        return new Sample(NanosecondsFor(seconds));
    }

    private void Prepare()
    {
        if (_fdb is not null)
            return;
        _fdb = new Fdb(entries, seed: 0x1234_5678);
        for (int i = 0; i < entries; i++)
            _fdb.Learn(Domain, Mac(i), FdbTarget.LearnedRemote(1), 1, int.MaxValue);
        var random = new Random(1);
        _macs = [.. Enumerable.Range(0, Lookups).Select(_ => Mac(random.Next(entries)))];
    }

    private double NanosecondsFor(double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        long passes = 0;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            if (LookUpAll() < Lookups / 2)
                throw new BenchException("The table lost entries.");
            passes++;
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / (passes * Lookups);
    }

    private int LookUpAll()
    {
        int found = 0;
        foreach (MacAddress mac in _macs)
            found += _fdb!.Lookup(Domain, mac).Id;
        return found;
    }

    private static MacAddress Mac(int i) => new(0x0200_0000_0000UL + (uint)i);
}
