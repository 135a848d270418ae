// How disturbed the machine was: how busy other programs kept it right before each measurement, while nothing of ours ran; a fixed piece of work on
// one core, timed between rounds (what takes longer then was disturbed, or the clock of the processor went down); the time the hypervisor took away
// (steal, /proc/stat); the load before the bench began. Whoever is patient can have each measurement wait for a quiet moment.

using System.Diagnostics;
using System.Globalization;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Watches the machine.</summary>
internal sealed class Noise
{
    private const int Work = 20_000_000;
    private const int IdleColumn = 3;
    private const int WaitingColumn = 4; // for disks: nobody has the core then
    private const int StealColumn = 7;
    private const int Columns = 8;
    private const double QuietPercent = 10;
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(250);

    private readonly long[] _before = ReadTimes();
    private static ulong s_sink;

    public Noise()
    {
        _ = Calibrate(); // compiles it
        _ = Calibrate();
    }

    /// <summary>Milliseconds of each piece of work.</summary>
    public Series Calibration { get; } = new();

    /// <summary>Percent of all cores that others used before each measurement.</summary>
    public Series BusyPercent { get; } = new();

    /// <summary>Of the last minute, before the bench began.</summary>
    public double LoadAtStart { get; } =
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Share of all processor time that the hypervisor took, in percent.</summary>
    public double StealPercent
    {
        get
        {
            long[] now = ReadTimes();
            return Percent(now[StealColumn] - _before[StealColumn], now.Sum() - _before.Sum());
        }
    }

    /// <summary>Looks how busy others keep the machine and notes it; waits for a quiet moment, at most that long.</summary>
    public void AwaitQuiet(double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        double busy = Glance();
        while (busy > QuietPercent && Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
            busy = Glance();
        BusyPercent.Add(busy);
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

    private static double Glance()
    {
        long[] before = ReadTimes();
        Thread.Sleep(s_glance);
        long[] now = ReadTimes();
        long idle = now[IdleColumn] + now[WaitingColumn] - before[IdleColumn] - before[WaitingColumn];
        return 100 - Percent(idle, now.Sum() - before.Sum());
    }

    private static double Percent(long part, long all) => all == 0 ? 0 : 100.0 * part / all;

    // user, nice, system, idle, iowait, irq, softirq, steal: proc_stat(5)
    private static long[] ReadTimes()
    {
        string[] words = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return [.. words.Skip(1).Take(Columns).Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
    }
}
