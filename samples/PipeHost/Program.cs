// A host without a device: it lives in this process, at the end of a pipe (PipePort), and answers pings on a VNI. The VTEP is the real one, over UDP
// sockets; no TAP, so no rights are needed.
//
//   dotnet run --project samples/PipeHost -- --local 198.18.0.1 --peer 198.18.0.2 --vni 100 --address 198.19.0.1 --address fd00:19::1
//
// The other side, a kernel say:
//   ip link add vx100 mtu 1450 type vxlan id 100 local 198.18.0.2 remote 198.18.0.1 dstport 4789
//   ip addr add 198.19.0.2/24 dev vx100; ip link set vx100 up; ping 198.19.0.1
//
// Options: --local (this machine's address), --peer (once for each other VTEP), --vni, --address (once for each address of the host, IPv4 or
// IPv6), --mac (02:00:00:00:00:01), --port (4789). It runs until SIGINT or SIGTERM, then tells what it answered and ends with 0; with 2 when an option is wrong.

using System.Runtime.InteropServices;
using VtepDataPlane;
using VtepDataPlane.Discovery;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.Samples;

if (!PipeHostOptions.TryParse(args, out PipeHostOptions? options, out string? why))
{
    Console.Error.WriteLine(why);
    return 2;
}

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
(PipePort port, System.IO.Pipelines.IDuplexPipe pipe) = PipePort.CreatePair("host");
var config = new VtepConfig
{
    Workers = 1,
    Underlay = new() { Local = options.Local, Port = options.Port },
    BridgeDomains =
    [
        new BridgeDomainConfig
        {
            Name = "segment",
            Vni = options.Vni,
            Ports = [PortConfig.Of(port)],
            Discovery = new StaticDiscovery { Peers = options.Peers },
        },
    ],
};
try
{
    var host = new EchoHost(options.Mac, options.Addresses);
    await using (LinuxVtep vtep = LinuxVtep.Start(config))
    {
        Console.WriteLine($"{options.Mac} answers for {string.Join(" and ", options.Addresses)} on VNI {options.Vni}.");
        await host.RunAsync(pipe, stop.Token);
    }

    Console.WriteLine($"Answered {host.Neighbors} requests for the MAC and {host.Echoes} pings; {host.Others} frames were for nobody here.");
    return 0;
}
catch (VtepException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
