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

/// <summary>One difference.</summary>
/// <param name="Action">What becomes of it.</param>
/// <param name="What">A setting by its path, or <c>port tap-blue</c>, <c>peer 198.18.0.2</c>, <c>fdb 02:...</c>.</param>
/// <param name="Now">What it is; null: nothing, or there is no single value.</param>
/// <param name="Next">What it will be.</param>
/// <param name="Effect">What that means for frames and learned stations; null: nothing.</param>
internal sealed record PlanChange(PlanAction Action, string What, string? Now = null, string? Next = null, string? Effect = null);

/// <summary>What becomes of a domain.</summary>
/// <param name="Action">What becomes of it.</param>
/// <param name="Name">Its name, the old one if that changes.</param>
/// <param name="Vni">Its VNI.</param>
/// <param name="Summary">What it consists of, or what its ports do.</param>
/// <param name="ClosedPorts">Ports open now that close, for good or for a moment.</param>
/// <param name="Changes">The differences, of a domain that changes.</param>
internal sealed record DomainPlan(
    PlanAction Action, string Name, int Vni, string Summary, IReadOnlyList<string> ClosedPorts, IReadOnlyList<PlanChange> Changes);

/// <summary>What a reload changes.</summary>
/// <param name="Restart">What can't be changed without a restart: if there is any, a reload is refused as a whole.</param>
/// <param name="Domains">Domains that come, go or change.</param>
/// <param name="Unchanged">Domains that stay as they are.</param>
internal sealed record ConfigPlan(IReadOnlyList<PlanChange> Restart, IReadOnlyList<DomainPlan> Domains, int Unchanged)
{
    /// <summary>A reload changes nothing.</summary>
    [JsonIgnore]
    public bool IsEmpty => Restart.Count == 0 && Domains.Count == 0;

    /// <summary>A reload is refused.</summary>
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
