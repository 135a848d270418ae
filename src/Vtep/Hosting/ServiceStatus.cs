// How the daemon is, in one line for systemctl status: what stands in its way first, then what there is.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>The status line.</summary>
internal static class ServiceStatus
{
    private const int LongestProblem = 512;

    /// <summary>Writes <c>10 bridge domains, 12 ports, 3 peers; controller main connected</c>.</summary>
    /// <param name="status">The VTEP.</param>
    /// <param name="problems">Sentences that come first.</param>
    public static string Describe(VtepSnapshot status, params IEnumerable<string?> problems)
    {
        string what = $"{Spelling.Count(status.BridgeDomains, "bridge domain")}, {Spelling.Count(status.Ports, "port")}, {Spelling.Count(status.Peers, "peer")}";
        IEnumerable<string> controllers = status.Controllers.Select(controller => $"controller {controller.Name} {controller.State}");
        string[] warnings = status.Warnings.Count == 0 ? [] : [$"{Spelling.Count(status.Warnings.Count, "warning")}, see vtep show status"];
        IEnumerable<string> first = problems.OfType<string>().Select(problem => VtepConfigRules.Escape(problem, LongestProblem).TrimEnd('.'));
        return string.Join("; ", [.. first, what, .. controllers, .. warnings]);
    }
}
