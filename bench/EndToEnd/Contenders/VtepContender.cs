// The VTEP itself, configured as an operator would: a file with static peers, everything else left to its defaults.

using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>`vtep run` on each host.</summary>
/// <param name="name">vtep or vtep-aot.</param>
/// <param name="executable">The program.</param>
/// <param name="problem">Why there is no such program, as a sentence; null when there is.</param>
internal sealed class VtepContender(string name, string executable, string? problem) : Contender(name)
{
    private const string Tap = "tap-bench";
    private const double StartLimit = 20;

    /// <inheritdoc/>
    public override string? WhyAbsent(Needs needs)
    {
        if (needs.HasFlag(Needs.InProcess))
            return Name == "vtep" ? null : "The lookup is measured in this process, which is compiled just in time.";
        return problem;
    }

    /// <inheritdoc/>
    public override Endpoint Join(Segment segment)
    {
        string folder = Directory.CreateTempSubdirectory("vtep-bench-").FullName;
        string socket = Path.Combine(folder, "vtep.sock");
        string file = Path.Combine(folder, "vtep.json");
        File.WriteAllText(file, Configuration(segment, socket).ToJsonString());
        BackgroundProcess process = segment.Host.Start(executable, ["run", "--config", file]);
        Wait.Until($"{Name} answers", StartLimit, () => IsReady(process, socket));
        return new Endpoint(Tap, folder, process);
    }

    private bool IsReady(BackgroundProcess process, string socket)
    {
        process.MustRun();
        return File.Exists(socket) && Shell.Succeeds(executable, "show", "status", "--socket", socket);
    }

    private static JsonObject Configuration(Segment segment, string socket)
    {
        var domain = new JsonObject
        {
            ["name"] = "bench",
            ["vni"] = Segment.Vni,
            ["ports"] = new JsonArray(new JsonObject { ["tap"] = Tap, ["addresses"] = Strings(segment.Host.InnerPrefixes) }),
            ["discovery"] = new JsonObject { ["static"] = new JsonObject { ["peers"] = Strings(segment.Peers.Select(peer => $"{peer}")) } },
        };
        if (segment.HasFixedStation)
            domain["fdb"] = new JsonArray(new JsonObject { ["mac"] = Segment.StationMac, ["vtep"] = $"{segment.Peers[0]}" });
        return new JsonObject
        {
            ["control"] = new JsonObject { ["socket"] = socket },
            ["underlay"] = new JsonObject { ["local"] = $"{segment.Local}", ["port"] = Segment.Port },
            ["bridgeDomains"] = new JsonArray(domain),
        };
    }

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
