// The part of `vtep check` that depends on the machine: findings about elements of the file, with line and column. What would make a
// start fail now is an error; what would only hurt is a warning. A file that is evidently for another machine gets one warning.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Checks a configuration against this host.</summary>
internal static class HostCheck
{
    /// <summary>What the host says of a valid configuration, in the file's order.</summary>
    public static async Task<IReadOnlyList<ConfigProblem>> LookAsync(ConfigResult result)
    {
        DaemonConfig config = result.Config!;
        try
        {
            HostView host = HostView.See(config, await DaemonView.AskAsync(config.ControlSocket));
            return HostInspection.AnotherMachine(config.Vtep, host.Facts) is { } another
                ? [Warning(result, config.Vtep.Underlay.Local is null ? "$.underlay.interface" : "$.underlay.local", another + "; run it there")]
                : InOrder(result, host.Judge());
        }
        catch (VtepException e)
        {
            return [Warning(result, "$.underlay", $"the host couldn't be looked at: {e.Message}")];
        }
    }

    /// <summary>Findings about elements; the others are for vtep doctor.</summary>
    internal static IReadOnlyList<ConfigProblem> InOrder(ConfigResult result, IEnumerable<HostFinding> findings) =>
    [
        .. findings.Where(finding => finding is { Severity: not FindingSeverity.Ok, Path: not null })
            .Select(finding => Place(result, finding.Path!, $"{finding}", finding.Severity == FindingSeverity.Error ? ConfigSeverity.Error : ConfigSeverity.Warning))
            .OrderBy(problem => (problem.Line, problem.Column)),
    ];

    private static ConfigProblem Warning(ConfigResult result, string path, string message) => Place(result, path, message, ConfigSeverity.Warning);

    private static ConfigProblem Place(ConfigResult result, string path, string message, ConfigSeverity severity) =>
        result.Locate!(new VtepConfigProblem(path, VtepConfigRules.Escape(message)), severity);
}
