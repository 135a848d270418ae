// All commands of the executable, and what is said when a command line can't be understood: sentences on stderr, the word that
// was probably meant, and exit code 2.

using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The commands of vtep.</summary>
internal static class CommandTree
{
    private const string Description = """
        A VXLAN tunnel endpoint (VTEP) in user space: joins TAP devices of several hosts into Ethernet segments over UDP.
          Exit codes: 0 done, 1 failed, 2 wrong configuration or command line, 3 no daemon reachable.
        """;

    public static RootCommand Create(Func<VtepConfig, ILoggerFactory, DataPlane> start) =>
        new(Description)
        {
            RunCommand.Create(start),
            CheckCommand.Create(),
            SetupCommand.Create(),
            ShowCommand.Create(),
            ReloadCommand.Create(),
            FdbCommand.Create(),
            DirectoryCommand.Create(),
            DiffCommand.Create(),
            ReleaseCommand.Create(),
            BenchCommand.Create(),
        };

    /// <summary>Parses and runs a command line; gives the exit code.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="output">Where answers go.</param>
    /// <param name="errors">Where complaints go.</param>
    /// <param name="start">Starts the data plane of the run command.</param>
    public static async Task<int> InvokeAsync(
        string[] arguments, TextWriter output, TextWriter errors, Func<VtepConfig, ILoggerFactory, DataPlane> start)
    {
        ParseResult parsed = Create(start).Parse(arguments);
        var writers = new InvocationConfiguration { Output = output, Error = errors, EnableDefaultExceptionHandler = false };

        // The run command waits for signals itself, and the others end by them.
        writers.ProcessTerminationTimeout = null;
        if (parsed.Errors.Count == 0)
            return await parsed.InvokeAsync(writers);
        foreach (string sentence in Complaints(parsed))
            errors.WriteLine(sentence);
        return ExitCode.Usage;
    }

    private static IEnumerable<string> Complaints(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string[] words = [.. command.Subcommands.Select(subcommand => subcommand.Name)];
        string all = string.Join(", ", words);
        if (words.Length > 0 && parsed.UnmatchedTokens is [{ } unknown, ..])
        {
            string meant = Spelling.Nearest(unknown, words) is { } near ? $"did you mean {near}?" : $"the commands are {all}.";
            yield return $"{FullName(command)} has no command {VtepConfigRules.Quote(unknown)}; {meant}";
        }
        else if (words.Length > 0 && command.Action is null)
        {
            yield return $"{FullName(command)} needs a command: {all}.";
        }
        else
        {
            foreach (ParseError error in parsed.Errors)
                yield return VtepConfigRules.Escape(error.Message);
        }

        yield return $"Try {FullName(command)} --help.";
    }

    private static string FullName(Command command) =>
        command is RootCommand ? "vtep" : $"{FullName((Command)command.Parents.First())} {command.Name}";
}
