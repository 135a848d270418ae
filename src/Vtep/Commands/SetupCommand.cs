// vtep setup: makes the TAP devices of a configuration as root, so that the daemon needs no right at all; a line a device. Run again it
// changes what differs and nothing else. vtep-setup.service runs it before each start and each reload.

using System.CommandLine;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Linux.Tap;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The setup command.</summary>
internal static class SetupCommand
{
    private const string DefaultUser = "vtep";

    public static Command Create()
    {
        var file = new Option<string>("--config") { Description = "The configuration that names the devices.", HelpName = "FILE" };
        var user = new Option<string>("--user")
        {
            Description = "Whose they are, by name or number.",
            HelpName = "USER",
            DefaultValueFactory = _ => DefaultUser,
        };
        var remove = new Option<bool>("--remove") { Description = "Remove those of the user; without --config: all of the user's." };
        var command = new Command("setup", "Make the TAP devices, as root, for a daemon without rights.") { file, user, remove };
        command.Validators.Add(result =>
        {
            if (result.GetValue(file) is null && !result.GetValue(remove))
                result.AddError("Option '--config' is required.");
        });
        command.SetAction(parsed => Run(
            parsed.GetValue(file), parsed.GetValue(user)!, parsed.GetValue(remove), parsed.InvocationConfiguration));
        return command;
    }

    private static int Run(string? path, string user, bool removes, InvocationConfiguration writers)
    {
        ConfigResult result = path is null ? new ConfigResult(null, []) : ConfigFile.Load(path);
        foreach (ConfigProblem problem in result.Problems)
            writers.Error.WriteLine(problem);
        if (path is not null && result.Config is null)
            return ExitCode.Usage;
        if (TapSetup.FindUser(user) is not { } owner)
        {
            writers.Error.WriteLine(
                $"There is no user {VtepConfigRules.Quote(user)}; make it ('useradd --system --no-create-home'), or name another with --user.");
            return ExitCode.Failed;
        }

        using var setup = new TapSetup(owner, user);
        VtepConfig? config = result.Config?.Vtep;
        return Report(removes ? setup.Remove(config is null ? null : Names(config)) : setup.Make(config!), writers);
    }

    private static IEnumerable<string> Names(VtepConfig config) =>
        config.BridgeDomains.SelectMany(domain => domain.Ports).Select(port => port.Tap);

    private static int Report(IEnumerable<TapOutcome> outcomes, InvocationConfiguration writers)
    {
        int exitCode = ExitCode.Ok;
        foreach (TapOutcome outcome in outcomes)
        {
            (outcome.IsError ? writers.Error : writers.Output).WriteLine(VtepConfigRules.Escape(outcome.Sentence));
            if (outcome.IsError)
                exitCode = ExitCode.Failed;
        }

        return exitCode;
    }
}
