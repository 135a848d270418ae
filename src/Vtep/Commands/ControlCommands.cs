// What the commands that ask a running daemon have in common: the --socket option, and what is said when it doesn't answer.

using System.CommandLine;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>Commands to a running daemon.</summary>
internal static class ControlCommands
{
    private const int BadRequest = 400;

    public static Option<string> SocketOption() => new("--socket")
    {
        Description = "The daemon's control socket.",
        HelpName = "PATH",
        DefaultValueFactory = _ => DaemonConfig.DefaultControlSocket,
    };

    public static Option<string> ControllerOption() =>
        new("--controller") { Description = "The controller; needed only when there are several.", HelpName = "NAME" };

    /// <summary>Asks, and gives the exit code.</summary>
    public static Task<int> AskAsync(ParseResult parsed, Option<string> socket, Func<ControlClient, TextWriter, Task> ask) =>
        AskAsync(parsed, socket, null, ask);

    /// <summary>Asks, waits so long for each answer (null: as usual), and gives the exit code.</summary>
    public static Task<int> AskAsync(ParseResult parsed, Option<string> socket, TimeSpan? patience, Func<ControlClient, TextWriter, Task> ask) =>
        AskForCodeAsync(parsed, socket, patience, async (client, output) =>
        {
            await ask(client, output);
            return ExitCode.Ok;
        });

    /// <summary>Asks, and gives the exit code that the answer means.</summary>
    public static Task<int> AskForCodeAsync(ParseResult parsed, Option<string> socket, Func<ControlClient, TextWriter, Task<int>> ask) =>
        AskForCodeAsync(parsed, socket, null, ask);

    private static async Task<int> AskForCodeAsync(
        ParseResult parsed, Option<string> socket, TimeSpan? patience, Func<ControlClient, TextWriter, Task<int>> ask)
    {
        InvocationConfiguration writers = parsed.InvocationConfiguration;
        string path = parsed.GetRequiredValue(socket);
        if (DaemonConfig.SocketPathProblem(Path.GetFullPath(path)) is { } wrong)
        {
            writers.Error.WriteLine($"--socket: {wrong}.");
            return ExitCode.Usage;
        }

        try
        {
            using var client = new ControlClient(path, patience);
            return await ask(client, writers.Output);
        }
        catch (UnreachableException error)
        {
            writers.Error.WriteLine(VtepConfigRules.Escape(error.Message));
            return ExitCode.Unreachable;
        }
        catch (RefusedException refusal)
        {
            writers.Error.WriteLine(VtepConfigRules.Escape(refusal.Message));
            foreach (string error in refusal.Problem.Errors ?? [])
                writers.Error.WriteLine(VtepConfigRules.Escape(error));
            return refusal.Problem.Status == BadRequest ? ExitCode.Usage : ExitCode.Failed;
        }
    }
}
