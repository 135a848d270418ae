// How long a VTEP takes from its start to the complete table, and how much memory: 4,096 nodes and 100,000 stations are in the store before it begins.
// The clock runs from before the program is executed until status says that all records are held and the FDB has them; that the entries are
// the right ones is looked at afterwards.

using System.Diagnostics;
using System.Text.Json;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>From start to the complete table.</summary>
internal sealed class TableMeasurement() : Measurement("table-4096x100k")
{
    private const int Nodes = 4096;
    private const int Stations = 100_000;
    private const int Rounds = 5;
    private const double Limit = 120;
    private const ulong FirstStation = 0x02_10_00_00_00_00;
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public override string Note => $"{Nodes} nodes and {Stations} MAC records in the store, then a VTEP starts; {Rounds} rounds. Memory is the kernel's count "
        + $"(VmHWM, VmRSS), {s_settling.TotalSeconds:0} s after the table was complete.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var lab = new ControlLab();
        lab.Store.Load(ControlledVtep.Prefix, Records());
        Series seconds = new(), peak = new(), resident = new();
        for (int round = 0; round < Rounds; round++)
        {
            using var vtep = new ControlledVtep(lab.Hosts[0], lab.Store);
            seconds.Add(TimeToTable(vtep));
            Thread.Sleep(s_settling);
            peak.Add(vtep.Memory("VmHWM"));
            resident.Add(vtep.Memory("VmRSS"));
            Check(vtep);
            vtep.Stop();
        }

        tell(Figure.Median("start to the complete table", "s", seconds, Target.AtMost(5)));
        tell(Figure.Median("most memory", "MiB", peak, Target.AtMost(256)));
        tell(Figure.Median("memory afterwards", "MiB", resident));
    }

    private static IEnumerable<DirectoryRecord> Records()
    {
        for (int i = 0; i < Nodes; i++)
        {
            yield return new VtepRecord(Node(i), new VtepEndpoint(Address(i), Segment.Port), default);
            yield return new FloodRecord(Node(i), new Vni(Segment.Vni));
        }

        for (int i = 0; i < Stations; i++)
            yield return new MacRecord(Node(i % Nodes), new Vni(Segment.Vni), Station(i));
    }

    private static double TimeToTable(ControlledVtep vtep)
    {
        while (vtep.TryGet("/v1/status") is not { } status || !IsComplete(status))
        {
            if (Stopwatch.GetElapsedTime(vtep.Started).TotalSeconds > Limit)
                throw new BenchException($"The table isn't complete after {Limit} s: {vtep.TryGet("/v1/status")}");
            Thread.Sleep(s_poll);
        }

        return Stopwatch.GetElapsedTime(vtep.Started).TotalSeconds;
    }

    private static bool IsComplete(JsonElement status) =>
        status.GetProperty("fdbEntries").GetInt32() >= Stations && status.GetProperty("controllers") is { } controllers && controllers.GetArrayLength() > 0
        && controllers[0].GetProperty("records").TryGetProperty("mac", out JsonElement count) && count.GetInt32() >= Stations;

    private static void Check(ControlledVtep vtep)
    {
        var table = vtep.Remote().ToDictionary(entry => entry.Mac, entry => entry.Vtep);
        int right = Enumerable.Range(0, Stations).Count(i => table.GetValueOrDefault($"{Station(i)}") == $"{Address(i % Nodes)}:{Segment.Port}");
        if (right != Stations)
            throw new BenchException($"Of {Stations} stations only {right} are where the store says.");
    }

    private static string Node(int i) => $"n{i:0000}";

    private static InetAddress Address(int i) => InetAddress.FromIPv4(ControlLab.ForeignVteps + (uint)i);

    private static MacAddress Station(int i) => new(FirstStation + (ulong)i);
}
