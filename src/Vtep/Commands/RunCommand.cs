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
        ServiceManager manager = ServiceManager.OfThisProcess();
        ConfigResult result = ConfigFile.Load(path);
        if (result.Config is null)
        {
            StartFailure.Tell(result.Problems.Select(problem => problem.ToString()), manager, errors);
            return ExitCode.Usage;
        }

        try
        {
            await new DaemonHost(Path.GetFullPath(path), result.Config, start, manager).RunAsync();
            return ExitCode.Ok;
        }
        catch (VtepException refused)
        {
            StartFailure.Tell([VtepConfigRules.Escape(refused.Message)], manager, errors);
            return ExitCode.Failed;
        }
    }
}
