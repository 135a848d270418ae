// vtep run: the daemon, in the foreground, until SIGTERM or SIGINT.

using System.CommandLine;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The run command.</summary>
internal static class RunCommand
{
    public static Command Create(Func<VtepConfig, ILoggerFactory, DataPlane> start)
    {
        var file = new Option<string>("--config") { Description = "The configuration file.", HelpName = "FILE", Required = true };
        var command = new Command("run", "Run the daemon, in the foreground.") { file };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(file), start, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(string path, Func<VtepConfig, ILoggerFactory, DataPlane> start, TextWriter errors)
    {
        ConfigResult result = ConfigFile.Load(path);
        foreach (ConfigProblem problem in result.Problems)
            errors.WriteLine(problem);
        if (result.Config is null)
            return ExitCode.Usage;
        try
        {
            await new DaemonHost(Path.GetFullPath(path), result.Config, start).RunAsync();
            return ExitCode.Ok;
        }
        catch (VtepException refused)
        {
            errors.WriteLine(VtepConfigRules.Escape(refused.Message));
            return ExitCode.Failed;
        }
    }
}
