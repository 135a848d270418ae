// vtep bench: both forms of its output, and that what it measures is really forwarded.

using System.Text.Json;
using NUnit.Framework;
using VtepDataPlane.Daemon.Bench;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class BenchCommandTests
{
    [Test]
    public async Task Json_HasATimeForEverySizeAndDirection_AndFramesWereForwarded()
    {
        string output = await RunAsync("bench", "--seconds", "1", "--json");

        JsonElement root = JsonDocument.Parse(output).RootElement;
        Assert.That(Numbers(root, "frames", "bytes"), Is.EqualTo(new double[] { 64, 256, 512, 1024, 1400, 1464 }));
        Assert.That(Numbers(root, "frames", "atOnce"), Is.EqualTo(new double[] { 1, 1, 1, 1, 1, 44 }));
        Assert.That(Numbers(root, "fdb", "entries"), Is.EqualTo(new double[] { 1_000, 64_000, 1_000_000 }));
        foreach (JsonElement row in root.GetProperty("frames").EnumerateArray())
        {
            AssertSpeed(row.GetProperty("encapsulate"), row.GetProperty("bytes").GetDouble());
            AssertSpeed(row.GetProperty("decapsulate"), row.GetProperty("bytes").GetDouble());
        }

        foreach (JsonElement row in root.GetProperty("fdb").EnumerateArray())
            AssertTime(row.GetProperty("lookup"));
        Assert.That(root.GetProperty("forwarded").GetInt64(), Is.GreaterThan(65_536));
        Assert.That(root.GetProperty("dropped").GetInt64(), Is.Zero);
    }

    [Test]
    public async Task TheTable_HasARowForEverySize_AndNumbersThatArePositive()
    {
        string text = await RunAsync("bench", "--seconds", "1");

        const string Time = @" +[0-9.]+ ns +\([0-9.]+ - [0-9.]+\)";
        const string Speed = $@"{Time} +[0-9.]+ +[0-9.]+";
        foreach (string row in new[] { "64 +1", "256 +1", "512 +1", "1024 +1", "1400 +1", "1464 +44" })
            Assert.That(text, Does.Match($"(?m)^ *{row}{Speed}{Speed}$"));
        foreach (string row in new[] { "1000", "64000", "1000000" })
            Assert.That(text, Does.Match($"(?m)^ *{row}{Time}$"));
        Assert.That(text, Does.Not.Match(@" 0\.0 ns"));
    }

    [Test]
    public void EveryBatch_IsSentWhole_BothWays()
    {
        using var vtep = new BenchVtep(1024);
        long sent = vtep.Counters.Sent;
        foreach ((BenchTraffic Port, BenchTraffic Underlay) traffic in new[] { vtep.Frames(64), vtep.Frames(1400), vtep.SuperFrames() })
        {
            vtep.Use(traffic);
            Assert.That((vtep.Encapsulate(), vtep.Decapsulate()), Is.EqualTo((FrameBatch.DefaultCapacity, FrameBatch.DefaultCapacity)));
            CounterSnapshot counters = vtep.Counters;
            Assert.That(counters.Sent - sent, Is.EqualTo(FrameBatch.DefaultCapacity * (traffic.Port.WireFrames + traffic.Underlay.WireFrames)));
            Assert.That(counters.Drops, Is.Empty);
            Assert.That((counters.Replicated, counters.Unaccounted), Is.EqualTo((0, 0)));
            sent = counters.Sent;
        }
    }

    [Test]
    public void TheFdb_HasEveryStationThatIsLookedUp()
    {
        var table = new BenchFdb(1_000);
        table.Lookup();
        Assert.That(table.Found, Is.EqualTo(BenchFdb.Operations));
        table.LearnKnown();
        Assert.That(table.Found, Is.EqualTo(BenchFdb.Operations));
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await CommandTree.InvokeAsync(arguments, output, errors, (_, _) => throw new InvalidOperationException());
        Assert.That((exitCode, errors.ToString()), Is.EqualTo((0, "")));
        return output.ToString();
    }

    private static IEnumerable<double> Numbers(JsonElement root, string array, string field) =>
        root.GetProperty(array).EnumerateArray().Select(row => row.GetProperty(field).GetDouble());

    private static void AssertSpeed(JsonElement speed, double bytes)
    {
        double nanoseconds = AssertTime(speed.GetProperty("time"));
        Assert.That(speed.GetProperty("mpps").GetDouble(), Is.EqualTo(1000 / nanoseconds).Within(1).Percent);
        Assert.That(speed.GetProperty("gbitPerSecond").GetDouble(), Is.EqualTo(8 * bytes / nanoseconds).Within(1).Percent);
    }

    private static double AssertTime(JsonElement time)
    {
        double nanoseconds = time.GetProperty("nanoseconds").GetDouble();
        Assert.That(time.GetProperty("least").GetDouble(), Is.Positive.And.LessThanOrEqualTo(nanoseconds));
        Assert.That(time.GetProperty("most").GetDouble(), Is.GreaterThanOrEqualTo(nanoseconds));
        return nanoseconds;
    }
}
