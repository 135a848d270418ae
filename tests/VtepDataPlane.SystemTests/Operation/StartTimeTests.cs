// How long from the start of the process to READY=1, with ten bridge domains whose devices are made. What it should be (300 ms native, 1 s
// otherwise) is measured on a quiet machine; the bounds here are for a busy one, of whose starts the best counts, and still find a start that
// has become slow.

using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

internal sealed class StartTimeTests
{
    private const int Starts = 5;
    private const int Domains = 10;

    [TestCase("native", 1.0)]
    [TestCase("just in time", 3.0)]
    public void TenDomains_AreReadyInTime(string build, double limitSeconds)
    {
        string program = build == "native" ? NativeProgram.Executable : VtepProcess.Executable;
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        TimeSpan[] times = [.. Enumerable.Range(0, Starts).Select(_ => Measure(lab.Hosts[0], program)).Order()];
        TestContext.Out.WriteLine($"{build}: READY after {string.Join(", ", times.Select(time => $"{time.TotalMilliseconds:0}"))} ms, median {times[Starts / 2].TotalMilliseconds:0} ms");
        Assert.That(times[0], Is.LessThan(TimeSpan.FromSeconds(limitSeconds)));
    }

    private static TimeSpan Measure(LabHost host, string program)
    {
        JsonObject[] domains = [.. Enumerable.Range(1, Domains).Select(i => VtepRun.Domain($"d{i}", i, "198.18.0.2"))];
        using var run = new ServiceRun(host.Namespace, VtepRun.Configuration($"{host.Underlay}", domains), program);
        long start = run.Start();
        TimeSpan time = Stopwatch.GetElapsedTime(start, run.WaitUntilReady());
        run.Stop();
        return time;
    }
}
