// The tables about controllers. What they said is text from outside, and escaped as every cell is.

using System.Globalization;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>Snapshots of controllers as tables.</summary>
internal static class DirectoryTables
{
    /// <summary>What is said instead of an empty table of neighbours.</summary>
    public const string NoNeighbors = "No neighbors: none are known yet, and only domains with a controller have a table of them.";

    /// <summary>What is said instead of an empty table of records.</summary>
    public const string NoRecords = "No records: no controller said anything yet.";

    /// <summary>What is said when store and data plane agree.</summary>
    public const string NoDifferences = "no differences";

    /// <summary>The rows of one controller in the table of the whole.</summary>
    public static void AddController(TextTable table, ControllerSnapshot controller)
    {
        void Add(string what, object? value) => table.Add($"  {what}", value);
        void AddSome(string what, long number, string remark = "")
        {
            if (number > 0)
                Add(what, $"{number}{remark}");
        }

        string cached = controller.FromCache ? ", by what was kept on disk" : "";
        table.Add($"controller {controller.Name}", $"{controller.State} for {controller.StateSeconds} s{cached}");
        if (controller.Problem is not null)
            Add("problem", controller.Problem);
        if (controller.BackoffMilliseconds > 0)
            Add("backoff", string.Create(CultureInfo.InvariantCulture, $"{controller.BackoffMilliseconds / 1000.0:0.0} s between attempts"));
        Add("node", controller.Node);
        Add("last event", controller.LastEventSeconds is { } age ? $"{age} s ago, revision {controller.Revision}" : "none yet");
        Add("records", Listed(controller.Records));
        AddSome("stale records", controller.Stale);
        Add("rejected so far", controller.Rejected.Count == 0 ? "none" : $"{Listed(controller.Rejected)}; see vtep show directory");
        Add("published", controller.PublishPending == 0 ? controller.Published : $"{controller.Published}, not written yet: {controller.PublishPending}");
        Add("complete readings", Listed(controller.Resyncs));
        AddSome("vteps held", controller.ShrinkHeld, ", which the store has lost at once; vtep directory accept lets them go");
        AddSome("frozen stations", controller.Frozen);
        if (controller.Lookups > 0)
            Add("lookups", $"{controller.Lookups}, found: {controller.LookupsFound}, unanswered: {controller.LookupsUnanswered}");
    }

    public static void Write(IReadOnlyList<NeighborSnapshot> neighbors, TextWriter output, Terminal terminal)
    {
        if (neighbors.Count == 0)
        {
            TextTable.WriteSentence(NoNeighbors, output, terminal);
            return;
        }

        var table = new TextTable("#VNI", "ADDRESS", "MAC", "WHERE", "ROUTER");
        foreach (NeighborSnapshot neighbor in neighbors)
            table.Add(neighbor.Vni, neighbor.Address, neighbor.Mac, neighbor.Local ? "local" : "remote", neighbor.Router ? "yes" : "no");
        table.Write(output, terminal);
    }

    public static void Write(DirectoryContentSnapshot content, TextWriter output, Terminal terminal)
    {
        if (content.Records.Count == 0)
            TextTable.WriteSentence(NoRecords, output, terminal);
        else
            WriteRecords(content.Records, output, terminal);
        if (content.Rejected.Count == 0)
            return;
        output.WriteLine();
        var table = new TextTable("CONTROLLER", "REJECTED", "REASON", "#AGE", "DETAIL");
        foreach (RejectedRecordSnapshot rejected in content.Rejected)
            table.Add(rejected.Controller, rejected.Name, rejected.Reason, $"{rejected.AgeSeconds} s", rejected.Detail);
        table.Write(output, terminal);
    }

    public static void Write(IReadOnlyList<DirectoryDifference> differences, TextWriter output, Terminal terminal)
    {
        if (differences.Count == 0)
        {
            TextTable.WriteSentence(NoDifferences, output, terminal);
            return;
        }

        var table = new TextTable("CONTROLLER", "#VNI", "WHAT", "KEY", "STORE", "DATA PLANE");
        foreach (DirectoryDifference difference in differences)
            table.Add(difference.Controller, difference.Vni, difference.What, difference.Key, difference.Store, difference.DataPlane);
        table.Write(output, terminal);
    }

    private static void WriteRecords(IReadOnlyList<DirectoryRecordSnapshot> records, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("CONTROLLER", "#VNI", "KIND", "KEY", "OWNER", "VTEP", "#SEQ", "#AGE", "STALE", "WINS", "WHY");
        foreach (DirectoryRecordSnapshot record in records)
        {
            table.Add(record.Controller, record.Vni, record.Kind, Key(record), record.Owner, record.Vtep, record.Sequence,
                $"{record.AgeSeconds} s", record.Stale ? "stale" : null, record.Winner ? "yes" : "no", record.Why);
        }

        table.Write(output, terminal);
    }

    private static string Key(DirectoryRecordSnapshot record)
    {
        string key = string.Join(" at ", new[] { record.Address, record.Mac?.ToString() }.OfType<string>());
        return record.Sticky ? $"{key} sticky" : key;
    }

    private static string Listed<T>(IReadOnlyDictionary<string, T> numbers) =>
        numbers.Count == 0 ? "none" : string.Join(", ", numbers.OrderBy(number => number.Key, StringComparer.Ordinal).Select(number => $"{number.Key} {number.Value}"));
}
