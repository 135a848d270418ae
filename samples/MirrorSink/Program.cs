// The end of a traffic mirror: takes VXLAN from any sender on any VNI, takes the header off, and writes the frames as pcapng, an interface a VNI. A cloud
// that mirrors traffic (AWS VPC Traffic Mirroring: VXLAN to UDP port 4789, a VNI a session) sends to this machine; Wireshark reads the file.
//
//   dotnet run --project samples/MirrorSink -- -w mirror.pcapng
//   dotnet run --project samples/MirrorSink -- -w - | tshark -r -
//
// Options: -w FILE, or - for standard output (needed); --port (4789); --snaplen N, bytes kept of a frame (all); --count N, frames after which it ends.
//
// It ends on SIGINT and SIGTERM too, and then tells how many frames came on each VNI, how many were lost, and what else came, by reason: on standard
// output, or on standard error while that is the capture's. Exit code 0; 1 when the socket or the file fail; 2 when an option is wrong.
//
// It forwards nothing and answers nobody, and anybody who can send to the port can fill the file: let a firewall admit the mirror's sources only.

using System.Runtime.InteropServices;
using VtepDataPlane.Samples;

if (!MirrorSinkOptions.TryParse(args, out MirrorSinkOptions? options, out string? why))
{
    Console.Error.WriteLine(why);
    return 2;
}

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await MirrorSink.RunAsync(options, stop.Token);

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
