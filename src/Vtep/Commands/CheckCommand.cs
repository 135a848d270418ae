// vtep check FILE: everything that is wrong with a configuration file, and with this host for it; --offline leaves the host out. Nothing is
// changed.

using System.CommandLine;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Inspection;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The check command.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The configuration file." };
        var offline = new Option<bool>("--offline") { Description = "Check the file alone, not whether this host can run it." };
        var command = new Command("check", "Check a configuration file: exit code 0, or every error in it and exit code 2.") { file, offline };
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetRequiredValue(file), parsed.GetValue(offline), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(string path, bool offline, TextWriter output, TextWriter errors)
    {
        ConfigResult result = ConfigFile.Load(path);
        IReadOnlyList<ConfigProblem> ofHost = offline || result.Config is null ? [] : await HostCheck.LookAsync(result);
        foreach (ConfigProblem problem in result.Problems.Concat(ofHost))
            errors.WriteLine(problem);
        if (result.Config is null || ofHost.Any(problem => problem.Severity == ConfigSeverity.Error))
            return ExitCode.Usage;
        output.WriteLine($"{VtepConfigRules.Escape(path)} is valid: {Summary(result.Config.Vtep)}");
        return ExitCode.Ok;
    }

    private static string Summary(VtepConfig config)
    {
        int ports = config.BridgeDomains.Sum(domain => domain.Ports.Count);
        int peers = config.BridgeDomains.Select(domain => domain.Discovery).OfType<StaticDiscovery>()
            .SelectMany(discovery => discovery.Peers).Distinct().Count();
        int groups = config.BridgeDomains.Select(domain => domain.Discovery).OfType<MulticastDiscovery>()
            .Select(discovery => discovery.Group).Distinct().Count();
        return $"{Spelling.Count(config.BridgeDomains.Count, "bridge domain")}, {Spelling.Count(ports, "port")}, {Spelling.Count(peers, "static peer")}, "
            + $"{Spelling.Count(groups, "multicast group")}, {Spelling.Count(config.Controllers.Count, "controller")}";
    }
}
