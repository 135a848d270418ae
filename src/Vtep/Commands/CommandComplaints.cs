// What is said when a command line can't be understood: the first word that is wrong, and the one that was probably meant.

using System.CommandLine;
using System.CommandLine.Parsing;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>Sentences about a wrong command line.</summary>
internal static class CommandComplaints
{
    /// <summary>What is wrong, and where to read on.</summary>
    public static IEnumerable<string> About(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string[] words = [.. command.Subcommands.Where(subcommand => !subcommand.Hidden).Select(subcommand => subcommand.Name)];
        if (parsed.UnmatchedTokens is [{ } unknown, ..])
            yield return unknown.StartsWith('-') ? NoOption(command, unknown) : words.Length > 0 ? NoCommand(command, unknown, words) : NoPlace(command, unknown);
        else if (words.Length > 0 && command.Action is null)
            yield return $"{FullName(command)} needs a command: {string.Join(", ", words)}.";
        else
        {
            foreach (ParseError error in parsed.Errors)
                yield return VtepConfigRules.Escape(error.Message);
        }

        yield return $"Try {FullName(command)} --help.";
    }

    private static string NoOption(Command command, string word)
    {
        string name = word.Split('=')[0];
        string[] known = [.. Options(command).Select(option => option.Name).Distinct()];
        string meant = Spelling.Nearest(name, known) is { } near ? $"did you mean {near}?" : $"its options are {string.Join(", ", known)}.";
        return $"{Shown(name)} isn't an option of {FullName(command)}; {meant}";
    }

    private static string NoCommand(Command command, string word, string[] words)
    {
        string meant = Spelling.Nearest(word, words) is { } near ? $"did you mean {near}?" : $"the commands are {string.Join(", ", words)}.";
        return $"{FullName(command)} has no command {VtepConfigRules.Quote(word)}; {meant}";
    }

    private static string NoPlace(Command command, string word) => command.Arguments is [{ } argument, ..]
        ? $"{FullName(command)} takes one {argument.Name}, and {VtepConfigRules.Quote(word)} is another; leave it out."
        : $"{FullName(command)} takes options only, and {VtepConfigRules.Quote(word)} is none; leave it out.";

    // Its own, and those that all commands below another one have.
    private static IEnumerable<Option> Options(Command command)
    {
        IEnumerable<Option> own = command.Options.Where(option => !option.Hidden);
        return command.Parents.OfType<Command>().Aggregate(own, (all, parent) => all.Concat(Options(parent).Where(option => option.Recursive)));
    }

    private static string Shown(string name) => VtepConfigRules.Quote(name).Trim('\'');

    private static string FullName(Command command) =>
        command is RootCommand ? "vtep" : $"{FullName((Command)command.Parents.First())} {command.Name}";
}
