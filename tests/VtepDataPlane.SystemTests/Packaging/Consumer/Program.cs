// A program that uses the packages, and sees nothing of the repository they are made in: two VTEPs in one process, joined by a network in
// memory. It stands in no project here; NugetTests copies it to a folder of its own, and runs it with the just-in-time compiler and as native code.

using Microsoft.Extensions.Logging.Abstractions;
using VtepDataPlane;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

InetAddress left = InetAddress.Parse("198.18.0.1"), right = InetAddress.Parse("198.18.0.2");
var network = new MemoryNetwork();
var leftHost = new MemoryHost(network, left);
var rightHost = new MemoryHost(network, right);
using var leftVtep = new Vtep(Blue(left, right), leftHost, seed: 1, nowMilliseconds: 0);
using var rightVtep = new Vtep(Blue(right, left), rightHost, seed: 2, nowMilliseconds: 0);

byte[] frame = new byte[60];
new EthernetHeader(MacAddress.Broadcast, MacAddress.Parse("02:00:5e:10:00:01"), EtherType.Arp).Write(frame);
leftHost.Ports["tap-blue"].Inject(frame);
leftHost.Run(leftVtep, nowMilliseconds: 1);
network.Deliver();
rightHost.Run(rightVtep, nowMilliseconds: 1);

MemoryFrame arrived = rightHost.Ports["tap-blue"].TakeAll().Single();
Console.WriteLine($"arrived: {arrived.Bytes.AsSpan().SequenceEqual(frame)}");
CounterSnapshot books = leftVtep.Counters();
Console.WriteLine($"left: received {books.Received}, sent {books.Sent}, unaccounted {books.Unaccounted}");
foreach (FdbSnapshot entry in rightVtep.Fdb(nowMilliseconds: 1))
    Console.WriteLine($"right: {entry.Mac} is behind {entry.Vtep} ({entry.Kind})");
Console.WriteLine($"problem: {VtepConfigRules.Check(Blue(left, left)).First()}");

// The other package: it calls the kernel, which says no.
try
{
    await using LinuxVtep vtep = LinuxVtep.Start(
        new VtepConfig { Workers = 1, Underlay = new UnderlayConfig { Interface = "no-such-link" } }, NullLoggerFactory.Instance);
}
catch (VtepException e)
{
    Console.WriteLine($"refused: {e.Message}");
}

static VtepConfig Blue(InetAddress local, InetAddress peer) => new()
{
    Workers = 1,
    Underlay = new UnderlayConfig { Local = local },
    BridgeDomains =
    [
        new BridgeDomainConfig
        {
            Name = "blue",
            Vni = new Vni(100),
            Ports = [new PortConfig { Tap = "tap-blue" }],
            Discovery = new StaticDiscovery { Peers = [new VtepEndpoint(peer, UnderlayConfig.DefaultPort)] },
        },
    ],
};
