// What a VTEP takes from its program: nothing while it rests, and nothing once it is disposed of.

using System.Diagnostics;
using System.Globalization;
using NUnit.Framework;
using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

[NonParallelizable] // it counts the process's threads and memory
internal sealed class LeftoverTests
{
    private const int Cycles = 10_000;
    private const long MiB = 1 << 20;

    private static readonly InProcessOptions s_small = new() { BatchFrames = 8, LongestFrame = 2048 };

    [Test]
    public async Task TenThousandVteps_MadeAndDisposedOf_LeaveNothing()
    {
        await Cycle(200); // code is compiled, pools are filled
        Footprint before = Measure();
        var time = Stopwatch.StartNew();
        await Cycle(Cycles / 2);
        Footprint half = Measure();
        await Cycle(Cycles / 2);
        TestContext.Out.WriteLine($"{Cycles} in {time.Elapsed}");
        Footprint after = Measure();
        TestContext.Out.WriteLine($"{before} -> {half} -> {after}");

        Assert.That(after.Lanes, Is.Zero, "threads of lanes and control loops");
        Assert.That(after.Threads, Is.LessThanOrEqualTo(before.Threads + 4), "the pool may have grown");
        Assert.That(after.Descriptors, Is.LessThanOrEqualTo(before.Descriptors));

        // the process has other tests behind it, whose leavings settle meanwhile; what a cycle leaves, both halves leave
        long left = Math.Min(half.Managed - before.Managed, after.Managed - half.Managed);
        Assert.That(left, Is.LessThanOrEqualTo(MiB / 2), "bytes left by half of the cycles");
        Assert.That(after.Resident, Is.LessThanOrEqualTo(before.Resident + 32 * MiB), "what the collector keeps for itself varies");
    }

    [TestCase("in process")]
    [TestCase("Linux")]
    public async Task AtRest_NoThreadOfOurs_UsesTheProcessor(string runner)
    {
        await using IRunningVtep vtep = runner == "Linux"
            ? LinuxVtep.Start(Config("127.0.0.1") with { Workers = 2, Underlay = new UnderlayConfig { Local = InetAddress.Parse("127.0.0.1"), Port = 47_892 } })
            : InProcessVtep.Start(Config("192.0.2.1") with { Workers = 2 }, new MemoryNetwork { IsLive = true });
        await vtep.AddDomainAsync(Domain(Blue));
        var p1 = new MemoryPort("p1");
        var p2 = new MemoryPort("p2");
        await vtep.AddPortAsync(Blue, p1);
        await vtep.AddPortAsync(Blue, p2);
        p1.Inject(Broadcast(1));
        await p2.ReceiveAsync(Soon);
        using VtepSubscriptionPair subscribed = new(vtep.Vtep);

        long before = OurTicks(out int threads);
        await Task.Delay(1500); // what is asked for is that nothing happens for so long
        long used = OurTicks(out _) - before;

        Assert.That(threads, Is.EqualTo(3), "two lanes and the control loop");
        Assert.That(used, Is.LessThanOrEqualTo(1), "ticks of 10 ms in 1.5 s");
    }

    private static async Task Cycle(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2)); // one: the timers of ten thousand would be left
        var network = new MemoryNetwork { IsLive = true };
        VtepConfig config = Config("192.0.2.1", Domain(Blue)) with { FdbCapacity = 256 };
        for (int i = 0; i < count; i++)
        {
            await using InProcessVtep vtep = InProcessVtep.Start(config, network, s_small);
            var p1 = new MemoryPort("p1");
            var p2 = new MemoryPort("p2");
            await vtep.AddPortAsync(Blue, p1);
            await vtep.AddPortAsync(Blue, p2);
            p1.Inject(Broadcast(1));
            await p2.ReceiveAsync(limit.Token);
        }
    }

    private static Footprint Measure()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        string[] names = [.. Tasks().Select(task => task.Name)];
        return new Footprint(
            names.Length, names.Count(IsOurs), Directory.GetFileSystemEntries("/proc/self/fd").Length, GC.GetTotalMemory(forceFullCollection: true), Resident());
    }

    private static long Resident() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private static long OurTicks(out int threads)
    {
        (string Name, long Ticks)[] ours = [.. Tasks().Where(task => IsOurs(task.Name))];
        threads = ours.Length;
        return ours.Sum(task => task.Ticks);
    }

    private static bool IsOurs(string name) => name.StartsWith("vtep-", StringComparison.Ordinal);

    // name and processor time (utime + stime, proc_pid_stat(5)) of every thread; one may end while we look
    private static List<(string Name, long Ticks)> Tasks()
    {
        var tasks = new List<(string, long)>();
        foreach (string directory in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                string stat = File.ReadAllText($"{directory}/stat");
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                tasks.Add((stat[(stat.IndexOf('(') + 1)..stat.LastIndexOf(')')], long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // it has ended
            }
        }

        return tasks;
    }

    private sealed record Footprint(int Threads, int Lanes, int Descriptors, long Managed, long Resident);

    private sealed class VtepSubscriptionPair(Vtep vtep) : IDisposable
    {
        private readonly VtepSubscription _fdb = vtep.SubscribeFdb(_ => { });
        private readonly VtepSubscription _drops = vtep.SubscribeDrops(_ => { });

        public void Dispose()
        {
            _fdb.Dispose();
            _drops.Dispose();
        }
    }
}
