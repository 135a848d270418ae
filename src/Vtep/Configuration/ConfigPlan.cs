// What lies between two configurations: what a reload changes in a running VTEP, and what it can't change without a restart. Used by
// Reloader before it applies anything, and by `vtep plan` to say it beforehand.
//
// Everything outside "bridgeDomains" is fixed for the life of the process: sockets, lanes, the FDB's size, what controllers are read from.
// A new key is fixed as well until somebody teaches Reloader to change it. Domains are compared as DomainTable does: by VNI, and inside by
// TAP name, MAC and peer. What is said of their traffic follows from there (DomainTable.cs, PortChange.cs):
//
// * An unchanged domain is not touched and loses no frame.
// * In a changed one the published state is swapped under the lanes; ports that are set up the same stay open.
// * A port that goes, moves to another domain or is set up in any way differently closes: what waits in it is lost, and the stations
//   behind it are forgotten. It opens again after that.
// * A peer that a static domain names no more is a stranger from then on, and the stations behind it are forgotten.
//
// Settings are compared as the file spells them (ConfigWriter): a key is known there once, and its values read as people write them.
// Pure functions; any thread.

using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>What becomes of something.</summary>
internal enum PlanAction
{
    [JsonStringEnumMemberName("add")]
    Add,

    [JsonStringEnumMemberName("change")]
    Change,

    [JsonStringEnumMemberName("remove")]
    Remove,
}

[Description("One difference.")]
internal sealed record PlanChange(
    [property: Description("What becomes of it.")] PlanAction Action,
    [property: Description("A setting by its path, or 'port tap-blue', 'peer 198.18.0.2', 'fdb 02:...'.")] string What,
    [property: Description("What it is; null: nothing, or there is no single value.")] string? Now = null,
    [property: Description("What it will be.")] string? Next = null,
    [property: Description("What that means for frames and learned stations; null: nothing.")] string? Effect = null);

[Description("What becomes of a domain.")]
internal sealed record DomainPlan(
    [property: Description("What becomes of it.")] PlanAction Action,
    [property: Description("Its name, the old one if that changes.")] string Name,
    [property: Description("Its VNI.")] int Vni,
    [property: Description("What it consists of, or what its ports do.")] string Summary,
    [property: Description("Ports open now that close, for good or for a moment.")] IReadOnlyList<string> ClosedPorts,
    [property: Description("The differences, of a domain that changes.")] IReadOnlyList<PlanChange> Changes);

[Description("What a reload changes.")]
internal sealed record ConfigPlan(
    [property: Description("What can't be changed without a restart: if there is any, a reload is refused as a whole.")] IReadOnlyList<PlanChange> Restart,
    [property: Description("Domains that come, go or change.")] IReadOnlyList<DomainPlan> Domains,
    [property: Description("Domains that stay as they are.")] int Unchanged)
{
    /// <summary>A reload changes nothing.</summary>
    [JsonIgnore]
    public bool IsEmpty => Restart.Count == 0 && Domains.Count == 0;

    [Description("A reload is refused.")]
    public bool NeedsRestart => Restart.Count > 0;

    /// <summary><c>1 domain changed, 1 added, 7 unchanged</c>.</summary>
    [JsonIgnore]
    public string Summary
    {
        get
        {
            (int Number, string What)[] parts =
            [
                (Domains.Count(domain => domain.Action == PlanAction.Change), "changed"),
                (Domains.Count(domain => domain.Action == PlanAction.Add), "added"),
                (Domains.Count(domain => domain.Action == PlanAction.Remove), "removed"),
                (Unchanged, "unchanged"),
            ];
            string[] said = [.. parts.Where(part => part.Number > 0).Select((part, i) => $"{part.Number}{(i > 0 ? "" : part.Number == 1 ? " domain" : " domains")} {part.What}")];
            return said.Length == 0 ? "there are no domains" : string.Join(", ", said);
        }
    }

    /// <summary>Compares.</summary>
    public static ConfigPlan Between(DaemonConfig now, DaemonConfig next)
    {
        var domains = new DomainComparison(now.Vtep, next.Vtep);
        return new ConfigPlan([.. Fixed(now, next)], domains.Changed, domains.Unchanged);
    }

    /// <summary>The difference of two values, the deepest keys that differ; a list is one value.</summary>
    internal static IEnumerable<PlanChange> Differences(ConfigNode? now, ConfigNode? next, string path)
    {
        if (now?.Kind == JsonValueKind.Object && next?.Kind == JsonValueKind.Object)
        {
            return now.Children.Concat(next.Children).Select(child => child.Key!).Distinct()
                .SelectMany(key => Differences(now.Member(key), next.Member(key), path.Length == 0 ? key : $"{path}.{key}"));
        }

        string? before = Shown(now), after = Shown(next);
        PlanAction action = now?.Kind == JsonValueKind.Object ? PlanAction.Remove : next?.Kind == JsonValueKind.Object ? PlanAction.Add : PlanAction.Change;
        return before == after ? []
            : action == PlanAction.Change ? [new PlanChange(action, path, before, after)] : [new PlanChange(action, path)];
    }

    /// <summary>The tree of a text this program wrote.</summary>
    internal static ConfigNode Tree(byte[] written) =>
        new ConfigText(written).Parse(out ConfigSyntaxError error) ?? throw new InvalidOperationException($"{error.Line}:{error.Column}: {error.Message}");

    private static IEnumerable<PlanChange> Fixed(DaemonConfig now, DaemonConfig next) => Differences(Rest(now), Rest(next), "");

    // Everything but the domains.
    private static ConfigNode Rest(DaemonConfig config) => Tree(ConfigWriter.Write(config with { Vtep = config.Vtep with { BridgeDomains = [] } }));

    private static string? Shown(ConfigNode? node) => node?.Kind switch
    {
        null or JsonValueKind.Null => null,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array => $"[ {string.Join(", ", node.Children.Select(Shown))} ]",
        JsonValueKind.Object => "{}",
        _ => node.Text,
    };
}
