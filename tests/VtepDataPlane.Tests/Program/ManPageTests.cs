// The manual says everything the program knows: each command and option is in vtep(8), each key of the configuration in vtep.jsonc(5). What there
// is comes from the program itself: the command tree, and the sentence it says about an unknown key.

using System.CommandLine;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed partial class ManPageTests
{
    // An unknown key in each kind of object there is.
    private const string Everywhere = """
        { "zzz": 1, "control": { "zzz": 1 }, "fdb": { "zzz": 1 }, "underlay": { "zzz": 1 },
          "controllers": { "a": { "zzz": 1 }, "b": { "etcd": { "zzz": 1, "tls": { "zzz": 1 } } }, "c": { "file": { "zzz": 1 } } },
          "bridgeDomains": [
            { "zzz": 1, "ports": [ { "zzz": 1 } ], "fdb": [ { "zzz": 1 } ], "discovery": { "zzz": 1 } },
            { "discovery": { "static": { "zzz": 1 } } }, { "discovery": { "multicast": { "zzz": 1 } } }, { "discovery": { "controller": { "zzz": 1 } } } ] }
        """;

    private static readonly string s_commands = Page("vtep.8");
    private static readonly string s_keys = Page("vtep.jsonc.5");

    [Test]
    public void EveryCommand_IsInTheManual() => Assert.Multiple(() =>
    {
        foreach ((string name, Command command) in Commands(CommandTree.Create((_, _) => throw new InvalidOperationException()), ""))
        {
            if (command.Subcommands.Count == 0)
                Assert.That(s_commands, Does.Match($@"(?m)^(\.B|\.BI|\.BR|\\fB) ?""?{Regex.Escape(name)}( |""|\\|$)"), name);
        }
    });

    [Test]
    public void EveryOption_IsInTheManual() => Assert.Multiple(() =>
    {
        RootCommand root = CommandTree.Create((_, _) => throw new InvalidOperationException());
        foreach (Option option in Commands(root, "").SelectMany(pair => pair.Command.Options).Concat(root.Options))
        {
            foreach (string name in option.Aliases.Append(option.Name).Where(name => !name.StartsWith('/')))
                Assert.That(s_commands, Does.Match($@"{Regex.Escape(name)}(?![\w-])"), name);
        }
    });

    [Test]
    public void EveryExitCode_IsInTheManual()
    {
        string section = s_commands[s_commands.IndexOf(".SH EXIT STATUS", StringComparison.Ordinal)..s_commands.IndexOf(".SH ENVIRONMENT", StringComparison.Ordinal)];
        foreach (int code in new[] { ExitCode.Ok, ExitCode.Failed, ExitCode.Usage, ExitCode.Unreachable })
            Assert.That(section, Does.Contain($".B {code}\n"));
    }

    [Test]
    public void EveryKey_IsInTheManual() => Assert.Multiple(() =>
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("vtep.jsonc");
        File.WriteAllText(path, Everywhere);
        string[] complaints = [.. ConfigFile.Load(path).Problems.Select(problem => $"{problem}").Where(problem => problem.Contains("'zzz'", StringComparison.Ordinal))];

        Assert.That(complaints, Has.Length.EqualTo(Everywhere.Split("zzz").Length - 1), string.Join('\n', complaints));
        foreach (string key in complaints.SelectMany(complaint => Key().Matches(complaint[complaint.IndexOf("keys here", StringComparison.Ordinal)..])).Select(match => match.Groups[1].Value).Distinct())
            Assert.That(s_keys, Does.Match($@"(?m)^\.BR ([\w\[\]]+\.)?{key} |^\.SS \S*\b{key}$"), key);
    });

    [Test]
    public void TheExampleInThePackage_IsValid_AndHasNoDomain()
    {
        ConfigResult result = ConfigFile.Load(Repository.File("src/Vtep/packaging/examples/vtep.jsonc"));

        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Vtep.BridgeDomains, Is.Empty);
    }

    // As it is read: hyphens that are escaped for the typesetter stand for themselves.
    internal static string Page(string name) => File.ReadAllText(Repository.File($"src/Vtep/packaging/man/{name}")).Replace("\\-", "-", StringComparison.Ordinal);

    private static IEnumerable<(string Name, Command Command)> Commands(Command command, string prefix) => command.Subcommands.SelectMany(
        subcommand => Commands(subcommand, $"{prefix}{subcommand.Name} ").Prepend((prefix + subcommand.Name, subcommand)));

    [GeneratedRegex("\"(\\w+)\"")]
    private static partial Regex Key();
}
