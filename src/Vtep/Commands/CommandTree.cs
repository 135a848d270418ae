// All commands of the executable. A command line that can't be understood is exit code 2 (CommandComplaints).

using System.CommandLine;
using Microsoft.Extensions.Logging;
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
            PlanCommand.Create(),
            ReloadCommand.Create(),
            ShowCommand.Create(),
            TopCommand.Create(),
            CaptureCommand.Create(),
            ExplainCommand.Create(),
            FdbCommand.Create(),
            DirectoryCommand.Create(),
            DiffCommand.Create(),
            ReleaseCommand.Create(),
            DoctorCommand.Create(),
            SetupCommand.Create(),
            SchemaCommand.Create(),
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
        using var written = new StandardOutput(output);
        var writers = new InvocationConfiguration { Output = written, Error = errors, EnableDefaultExceptionHandler = false };

        // The run command waits for signals itself, and the others end by them.
        writers.ProcessTerminationTimeout = null;
        if (parsed.Errors.Count == 0)
            return await InvokeAsync(parsed, writers);
        foreach (string sentence in CommandComplaints.About(parsed))
            errors.WriteLine(sentence);
        return ExitCode.Usage;
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, InvocationConfiguration writers)
    {
        try
        {
            int exitCode = await parsed.InvokeAsync(writers);
            await writers.Output.FlushAsync();
            return exitCode;
        }
        catch (OutputException lost)
        {
            writers.Error.WriteLine(VtepConfigRules.Escape(lost.Message));
            return ExitCode.Failed;
        }
    }
}
