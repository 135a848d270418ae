// vtep plan [FILE]: what a reload with FILE would change in the running daemon, without changing anything. Without FILE: the file the
// daemon would read. Exit code 0 when a reload would work, also when it changes nothing; 1 when it would be refused, because a restart is
// needed; 2 when FILE is wrong, with everything that is wrong with it.
//
// What only the machine knows (a TAP that can't be opened, a group that can't be joined) shows at the reload itself, which then changes
// nothing.

using System.CommandLine;
using System.Text.Json;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Tables;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The plan command.</summary>
internal sealed class PlanCommand
{
    private readonly Argument<string?> _file = new("FILE")
    {
        Description = "The configuration file; without it the one the daemon reads on reload.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };
    private readonly Option<string> _socket = ControlCommands.SocketOption();

    public static Command Create() => new PlanCommand().Build();

    private Command Build()
    {
        var command = new Command("plan", "Say what a reload would change: exit code 0 when it would work, 1 when a restart is needed.") { _file, _json, _socket };
        command.SetAction(parsed => RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        TextWriter errors = parsed.InvocationConfiguration.Error;
        DaemonConfig? next = null;
        if (parsed.GetValue(_file) is { } given && !TryLoad(given, errors, out next))
            return ExitCode.Usage;
        return await ControlCommands.AskForCodeAsync(parsed, _socket, async (client, output) =>
        {
            if (next is null && !TryLoad(await FileOfDaemonAsync(client), errors, out next))
                return ExitCode.Usage;
            ConfigResult now = ConfigFile.Parse("the daemon's configuration", await client.SendAsync(HttpMethod.Get, "/v1/config"));
            if (now.Config is not null)
                return Say(ConfigPlan.Between(now.Config, next!), parsed.GetValue(_json), output);
            errors.WriteLine($"This vtep doesn't understand the daemon's configuration; is it another version? {now.Problems[0]}");
            return ExitCode.Failed;
        });
    }

    private static bool TryLoad(string path, TextWriter errors, out DaemonConfig? config)
    {
        ConfigResult result = ConfigFile.Load(path);
        foreach (ConfigProblem problem in result.Problems)
            errors.WriteLine(problem);
        config = result.Config;
        return config is not null;
    }

    private static async Task<string> FileOfDaemonAsync(ControlClient client) =>
        JsonSerializer.Deserialize(await client.SendAsync(HttpMethod.Get, "/v1/config/file"), ConfigJson.Default.ConfigFileAnswer)!.Path;

    private static int Say(ConfigPlan plan, bool json, TextWriter output)
    {
        if (json)
            output.WriteLine(JsonSerializer.Serialize(plan, ConfigJson.Default.ConfigPlan));
        else
            PlanText.Write(plan, output);
        return plan.NeedsRestart ? ExitCode.Failed : ExitCode.Ok;
    }
}
