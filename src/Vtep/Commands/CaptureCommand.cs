// vtep capture: what happens to frames, as it happens. As pcapng to a file or to standard output (-w - | wireshark -k -i -), or without -w a line a
// frame for people.
//
// The daemon ends the stream when told to: ^C asks it to, and what it still has is written, with the statistics at the end. A second ^C ends at
// once; the stream is cut between two blocks even then. A reader of standard output that goes away ends the capture, and isn't an error.

using System.CommandLine;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The capture command.</summary>
internal sealed class CaptureCommand
{
    private readonly Option<string> _vni = new("--vni") { Description = "Frames of this VNI.", HelpName = "N" };
    private readonly Option<string> _peer = new("--peer") { Description = "Frames from or to this VTEP or group.", HelpName = "A" };
    private readonly Option<string> _port = new("--port") { Description = "Frames from or to this port.", HelpName = "P" };
    private readonly Option<bool> _drops = new("--drops") { Description = "Dropped frames only." };
    private readonly Option<string> _filter = new("--filter") { Description = "Frames that pass this, as 'arp or (udp and port 53)'; see vtep(8).", HelpName = "EXPR" };
    private readonly Option<int?> _snapLength = new("--snaplen") { Description = "Bytes of each frame that are kept; all by default.", HelpName = "N" };
    private readonly Option<long?> _count = new("--count", "-c") { Description = "End after so many frames.", HelpName = "N" };
    private readonly Option<string> _write = new("--write", "-w") { Description = "Write pcapng to this file, or to standard output with -; otherwise print a line a frame.", HelpName = "FILE" };
    private readonly Option<string> _socket = ControlCommands.SocketOption();

    public static Command Create() => new CaptureCommand().Build();

    private Command Build()
    {
        var command = new Command("capture", "See frames and what becomes of them, as pcapng or a line each.")
        {
            _vni, _peer, _port, _drops, _filter, _snapLength, _count, _write, _socket,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        TextWriter errors = parsed.InvocationConfiguration.Error;
        string? file = parsed.GetValue(_write);
        if (file == "-" && !Console.IsOutputRedirected)
        {
            errors.WriteLine("-w -: standard output is a terminal, and pcapng isn't text; pipe it on, as in: vtep capture -w - | wireshark -k -i -");
            return ExitCode.Usage;
        }

        if (Request(parsed, errors) is not { } request)
            return ExitCode.Usage;
        try
        {
            using var sink = new CaptureSink(file, parsed.InvocationConfiguration.Output);
            int code = await ControlCommands.AskForCodeAsync(parsed, _socket, (client, _) => CaptureAsync(client, request, sink, errors));
            if (code == ExitCode.Ok)
                errors.WriteLine($"{sink.Packets} {(sink.Packets == 1 ? "frame" : "frames")} captured, {sink.Lost} lost.");
            return code;
        }
        catch (CaptureSinkException failed)
        {
            errors.WriteLine(VtepConfigRules.Escape(failed.Message));
            return ExitCode.Failed;
        }
    }

    private CaptureRequest? Request(ParseResult parsed, TextWriter errors)
    {
        string? vni = parsed.GetValue(_vni), peer = parsed.GetValue(_peer);
        Vni number = default;
        InetAddress address = default;
        if (vni is not null && !Vni.TryParse(vni, out number))
            errors.WriteLine($"--vni: {VtepConfigRules.Quote(vni)} is no VNI; write a number from 0 to {Vni.MaxValue}.");
        else if (peer is not null && !InetAddress.TryParse(peer, out address))
            errors.WriteLine($"--peer: {VtepConfigRules.Quote(peer)} is no IP address; write the VTEP's, like 198.18.0.2 or fd00::2.");
        else
            return new CaptureRequest(
                $"{Environment.ProcessId}-{Guid.NewGuid():N}", vni is null ? null : number, peer is null ? null : address, parsed.GetValue(_port),
                parsed.GetValue(_drops), parsed.GetValue(_filter), parsed.GetValue(_snapLength), parsed.GetValue(_count));
        return null;
    }

    private static async Task<int> CaptureAsync(ControlClient client, CaptureRequest request, CaptureSink sink, TextWriter errors)
    {
        using var stop = new CancellationTokenSource();
        int signals = 0;
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (Interlocked.Increment(ref signals) == 1)
                _ = EndAsync(client, request.Id, stop);
            else
                stop.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var body = JsonContent.Create(request, ControlJson.Default.CaptureRequest);
        try
        {
            using HttpResponseMessage answer = await client.OpenAsync(HttpMethod.Post, "/v1/capture", body, stop.Token);
            errors.WriteLine("Capturing; Ctrl-C ends it.");
            await PcapngBlocks.ReadAsync(await answer.Content.ReadAsStreamAsync(stop.Token), sink.Take, sink.Flush, stop.Token);
        }
        catch (OperationCanceledException) when (signals > 0)
        {
            // asked for twice: what came so far is whole
        }
        catch (CaptureReaderGoneException)
        {
            // who read has seen enough
        }

        return ExitCode.Ok;
    }

    // If the daemon can't be asked it is gone, and so is the stream.
    private static async Task EndAsync(ControlClient client, string id, CancellationTokenSource stop)
    {
        try
        {
            await client.SendAsync(HttpMethod.Delete, $"/v1/capture?id={id}");
        }
        catch (Exception away) when (away is UnreachableException or RefusedException)
        {
            stop.Cancel();
        }
    }
}
