// vtep doctor: what is wrong on this host, and the remedy, a line each. It changes nothing; to each known VTEP it sends a few pings and one
// datagram.

using System.CommandLine;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Inspection;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The doctor command.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var file = new Option<string?>("--config") { Description = "The configuration file; default: the running daemon's.", HelpName = "FILE" };
        var socket = new Option<string?>("--socket") { Description = "The daemon's control socket; default: the configuration's.", HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("doctor", "Find what is wrong on this host, and how to put it right: exit code 1 when something is.") { file, socket, json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(file), parsed.GetValue(socket), parsed.GetValue(json), parsed.InvocationConfiguration));
        return command;
    }

    private static async Task<int> RunAsync(string? file, string? socket, bool json, InvocationConfiguration writers)
    {
        if (socket is not null && DaemonConfig.SocketPathProblem(Path.GetFullPath(socket)) is { } wrong)
        {
            writers.Error.WriteLine($"--socket: {wrong}.");
            return ExitCode.Usage;
        }

        IReadOnlyList<HostFinding> findings = await new Doctor(file, socket).ExamineAsync();
        if (json)
            DoctorReport.WriteJson(findings, writers.Output);
        else
            DoctorReport.Write(findings, writers.Output, Terminal.OfStandardOutput());
        return findings.Any(finding => finding.Severity == FindingSeverity.Error) ? ExitCode.Failed : ExitCode.Ok;
    }
}
