// How disturbed the machine was: a fixed piece of work on one core, timed between rounds (what takes longer then was disturbed, or the clock of the
// processor went down), the time the hypervisor took away (steal, /proc/stat), and the load before the bench began.

using System.Diagnostics;
using System.Globalization;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Watches the machine.</summary>
internal sealed class Noise
{
    private const int Work = 20_000_000;
    private const int StealColumn = 8;
    private readonly (long Steal, long All) _before = ReadTimes();
    private static ulong s_sink;

    public Noise()
    {
        _ = Calibrate(); // compiles it
        _ = Calibrate();
    }

    /// <summary>Milliseconds of each piece of work.</summary>
    public Series Calibration { get; } = new();

    /// <summary>Of the last minute, before the bench began.</summary>
    public double LoadAtStart { get; } =
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Share of all processor time that the hypervisor took, in percent.</summary>
    public double StealPercent
    {
        get
        {
            (long steal, long all) = ReadTimes();
            return all == _before.All ? 0 : 100.0 * (steal - _before.Steal) / (all - _before.All);
        }
    }

    /// <summary>Does the piece of work once and notes its time.</summary>
    public void Look() => Calibration.Add(Calibrate());

    private static double Calibrate()
    {
        long start = Stopwatch.GetTimestamp();
        ulong x = 88172645463325252;
        for (int i = 0; i < Work; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }

        s_sink = x;
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static (long Steal, long All) ReadTimes()
    {
        string[] words = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long[] times = [.. words.Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
        return (times[StealColumn - 1], times.Take(StealColumn).Sum());
    }
}
