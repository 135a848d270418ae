// vtep release: takes this node's records out of a controller's store for good. A running daemon does it and publishes nothing any more; for
// a node whose daemon is gone, --config says where the store is.

using System.CommandLine;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging.Abstractions;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Controllers;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The release command.</summary>
internal static class ReleaseCommand
{
    private const string Released = "This node's records are out of the store";

    public static Command Create()
    {
        Option<string> controller = ControlCommands.ControllerOption();
        Option<string> socket = ControlCommands.SocketOption();
        var file = new Option<string>("--config") { Description = "Do it without a daemon, as this configuration file says.", HelpName = "FILE" };
        var command = new Command("release", "Take this node's records out of a controller's store, until the next start.") { controller, file, socket };
        command.SetAction(parsed => parsed.GetValue(file) is { } path
            ? WithoutDaemonAsync(path, parsed.GetValue(controller), parsed.InvocationConfiguration)
            : ByDaemonAsync(parsed, parsed.GetValue(controller), socket));
        return command;
    }

    private static async Task<int> ByDaemonAsync(ParseResult parsed, string? controller, Option<string> socket)
    {
        using var body = JsonContent.Create(new ControllerRequest(controller), ControlJson.Default.ControllerRequest);
        return await ControlCommands.AskAsync(parsed, socket, async (client, output) =>
        {
            await client.SendAsync(HttpMethod.Post, "/v1/directory/release", body);
            output.WriteLine($"{Released}; this vtep goes on forwarding and publishes nothing more until it is started again.");
        });
    }

    private static async Task<int> WithoutDaemonAsync(string path, string? controller, InvocationConfiguration writers)
    {
        TextWriter errors = writers.Error;
        ConfigResult result = ConfigFile.Load(path);
        foreach (ConfigProblem problem in result.Problems)
            errors.WriteLine(problem);
        if (result.Config is not { } config)
            return ExitCode.Usage;
        if (!DirectoryApi.TryFind(config.Vtep.Controllers, controller, out string? name, out string whyNot))
        {
            errors.WriteLine(whyNot);
            return ExitCode.Usage;
        }

        string? refused = await IsServedAsync(config.ControlSocket)
            ? $"vtep is running on {VtepConfigRules.Escape(config.ControlSocket)} and would publish again; leave out --config, or stop it first."
            : await ReleaseAsync(config, name);
        if (refused is null)
            writers.Output.WriteLine($"{Released}.");
        else
            errors.WriteLine(VtepConfigRules.Escape(refused));
        return refused is null ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<bool> IsServedAsync(string socket)
    {
        try
        {
            using var client = new ControlClient(socket);
            await client.SendAsync(HttpMethod.Get, "/v1/status");
            return true;
        }
        catch (RefusedException)
        {
            return true;
        }
        catch (UnreachableException)
        {
            return false;
        }
    }

    private static async Task<string?> ReleaseAsync(DaemonConfig config, string name)
    {
        using var timeout = new CancellationTokenSource(DirectoryApi.StoreTime);
        await using IDirectory directory = DirectorySources.Open(config, name, NullLoggerFactory.Instance);
        try
        {
            return await directory.ReleaseAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            return $"The store of controller {VtepConfigRules.Quote(name)} doesn't answer; see to it that it can be reached, and try again.";
        }
    }
}
