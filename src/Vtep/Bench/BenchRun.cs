// What vtep bench measures: a VTEP in memory with 64k stations, frames of several sizes both ways, and lookups in FDBs of several sizes.

using System.Runtime;
using System.Runtime.Intrinsics;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>The whole measurement. One thread, no root, no network.</summary>
internal static class BenchRun
{
    private const int Stations = 65_536;
    private static readonly int[] s_sizes = [64, 256, 512, 1024, 1400];
    private static readonly int[] s_entries = [1_000, 64_000, 1_000_000];

    /// <summary>Measures for about so long.</summary>
    /// <exception cref="OperationCanceledException">The caller wanted no more.</exception>
    public static BenchReport Measure(TimeSpan total, CancellationToken cancellation)
    {
        using var vtep = new BenchVtep(Stations);
        (BenchTraffic Port, BenchTraffic Underlay)[] traffic = [.. s_sizes.Select(vtep.Frames), vtep.SuperFrames()];
        BenchFdb[] tables = [.. s_entries.Select(entries => new BenchFdb(entries))];
        BenchCase[] cases =
        [
            .. traffic.SelectMany(pair => Directions(vtep, pair)),
            .. tables.Select(table => new BenchCase(static () => { }, table.Lookup)),
        ];
        BenchTime[] times = BenchRounds.Run(cases, total, cancellation);
        BenchFrameRow[] frames = [.. traffic.Select((pair, i) => Row(pair.Port, times[2 * i], times[2 * i + 1]))];
        BenchFdbRow[] fdb = [.. s_entries.Select((entries, i) => new BenchFdbRow(entries, times[2 * traffic.Length + i]))];
        CounterSnapshot counters = vtep.Counters;
        return new BenchReport(Machine(), Stations, frames, fdb, counters.Sent, counters.Drops.Values.Sum());
    }

    private static BenchCase[] Directions(BenchVtep vtep, (BenchTraffic Port, BenchTraffic Underlay) pair) =>
    [
        new BenchCase(() => vtep.Use(pair), () => vtep.Encapsulate() * pair.Port.WireFrames),
        new BenchCase(() => vtep.Use(pair), () => vtep.Decapsulate() * pair.Underlay.WireFrames),
    ];

    private static BenchFrameRow Row(BenchTraffic traffic, BenchTime encapsulate, BenchTime decapsulate)
    {
        // a segment has headers of its own
        int bytes = traffic.WireFrames == 1 ? traffic.Length : traffic.Offload.HeaderLength + traffic.Offload.GsoSize;
        return new BenchFrameRow(bytes, traffic.WireFrames, BenchSpeed.Of(encapsulate, bytes), BenchSpeed.Of(decapsulate, bytes));
    }

    private static BenchMachine Machine()
    {
        int bits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        return new BenchMachine(ProcessorName(), bits, JitInfo.GetCompiledMethodCount() > 0 ? "jit" : "native");
    }

    // proc(5): one "model name" a processor on x86
    private static string ProcessorName()
    {
        const string Field = "model name";
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
            return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}
