// The walk. Each step injects a frame at one host and waits until the hosts it is for have it; by then the datagrams are in the network's recording.
// The VTEPs have threads of their own, so nothing else is read before they are at rest: the books after they are closed.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Samples;

/// <summary>Three VTEPs on one segment.</summary>
public static class EmbeddedSwitch
{
    private static readonly Vni s_vni = new(100);
    private static readonly InetAddress[] s_vteps = [InetAddress.Parse("192.0.2.1"), InetAddress.Parse("192.0.2.2"), InetAddress.Parse("192.0.2.3")];

    private static readonly Host[] s_hosts =
    [
        new("a", MacAddress.Parse("02:00:00:00:00:0a"), InetAddress.Parse("198.19.0.10")),
        new("b", MacAddress.Parse("02:00:00:00:00:0b"), InetAddress.Parse("198.19.0.11")),
        new("c", MacAddress.Parse("02:00:00:00:00:0c"), InetAddress.Parse("198.19.0.12")),
    ];

    /// <summary>Plays the walk.</summary>
    /// <param name="output">Where it is told.</param>
    public static async Task RunAsync(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var network = new MemoryNetwork { IsLive = true, Recording = [] };
        InProcessVtep[] vteps = [.. s_vteps.Select(address => InProcessVtep.Start(Config(address), network))];
        var ports = new MemoryPort[vteps.Length];
        for (int i = 0; i < vteps.Length; i++)
            await vteps[i].AddPortAsync(s_vni, ports[i] = new MemoryPort(s_hosts[i].Name));

        (Host a, Host b) = (s_hosts[0], s_hosts[1]);
        output.WriteLine("1. Host a asks who has host b's address. Nobody knows where host b is: flooded.");
        await StepAsync(output, network, ports, from: 0, to: [1, 2], Arp(ArpPacket.Request, a, b with { Mac = MacAddress.Zero }));
        output.WriteLine("2. Host b answers. Its VTEP has learned host a from the request: one datagram.");
        await StepAsync(output, network, ports, from: 1, to: [0], Arp(ArpPacket.Reply, b, a));
        output.WriteLine("3. Host a greets host b. Its VTEP has learned host b from the answer: one datagram.");
        await StepAsync(output, network, ports, from: 0, to: [1], Greeting(a, b));

        foreach (InProcessVtep vtep in vteps)
            TellFdb(output, vtep);
        foreach (InProcessVtep vtep in vteps)
            await vtep.DisposeAsync();
        foreach (InProcessVtep vtep in vteps)
            TellBooks(output, vtep);
    }

    private static async Task StepAsync(TextWriter output, MemoryNetwork network, MemoryPort[] ports, int from, int[] to, byte[] frame)
    {
        output.WriteLine($"     host {s_hosts[from].Name} sends      {Describe(frame)}");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        ports[from].Inject(frame);
        var received = new List<string>();
        foreach (int host in to)
            received.Add($"     host {s_hosts[host].Name} receives   {Describe((await ports[host].ReceiveAsync(limit.Token)).Bytes)}");
        network.Change(wire => TellDatagrams(output, wire.Recording!));
        received.ForEach(output.WriteLine);
    }

    private static void TellDatagrams(TextWriter output, List<MemoryDatagram> datagrams)
    {
        foreach (MemoryDatagram datagram in datagrams)
        {
            _ = VxlanHeader.TryRead(datagram.Payload, out VxlanHeader header);
            output.WriteLine($"     {datagram.Source.Address} -> {datagram.Outer.Remote.Address}, VNI {header.Vni}: {datagram.Payload.Length - VxlanHeader.Size} bytes");
        }

        datagrams.Clear();
    }

    private static void TellFdb(TextWriter output, InProcessVtep vtep)
    {
        output.WriteLine($"FDB of {vtep.Vtep.Status().Local}");
        foreach (FdbSnapshot entry in vtep.Vtep.Fdb(vtep.NowMilliseconds))
            output.WriteLine($"     {entry.Mac}  {entry.Kind,-6}  {entry.Port ?? entry.Vtep?.Address.ToString()}");
    }

    private static void TellBooks(TextWriter output, InProcessVtep vtep)
    {
        CounterSnapshot books = vtep.Vtep.Counters();
        output.WriteLine(
            $"Books of {vtep.Vtep.Status().Local}: received {books.Received} + replicated {books.Replicated} = sent {books.Sent} + dropped {books.Drops.Values.Sum()}");
    }

    private static VtepConfig Config(InetAddress address) => new()
    {
        Workers = 1,
        FdbCapacity = 1024,
        Underlay = new UnderlayConfig { Local = address },
        BridgeDomains =
        [
            new BridgeDomainConfig
            {
                Name = "blue",
                Vni = s_vni,
                Discovery = new StaticDiscovery { Peers = [.. s_vteps.Where(vtep => vtep != address).Select(vtep => new VtepEndpoint(vtep, UnderlayConfig.DefaultPort))] },
            },
        ],
    };

    private static byte[] Arp(ushort operation, Host sender, Host target)
    {
        byte[] frame = new byte[EthernetHeader.Size + ArpPacket.Size];
        MacAddress destination = operation == ArpPacket.Request ? MacAddress.Broadcast : target.Mac;
        new EthernetHeader(destination, sender.Mac, EtherType.Arp).Write(frame);
        new ArpPacket(operation, sender.Mac, sender.Address, target.Mac, target.Address).Write(frame.AsSpan(EthernetHeader.Size));
        return frame;
    }

    private static byte[] Greeting(Host from, Host to)
    {
        byte[] frame = [.. new byte[EthernetHeader.Size], .. "Hello."u8];
        new EthernetHeader(to.Mac, from.Mac, EtherType: 0x88B5).Write(frame); // for experiments, IEEE 802
        return frame;
    }

    private static string Describe(byte[] frame)
    {
        if (!EthernetView.TryParse(frame, out EthernetView ethernet))
            return "a frame without a header";
        string what = ethernet.EtherType != EtherType.Arp || !ArpPacket.TryParse(ethernet.Payload, out ArpPacket arp) ? $"{frame.Length} bytes"
            : arp.Operation == ArpPacket.Request ? $"ARP: who has {arp.TargetAddress}? Tell {arp.SenderAddress}"
            : $"ARP: {arp.SenderAddress} is at {arp.SenderMac}";
        return $"{ethernet.Source} > {ethernet.Destination}  {what}";
    }

    private sealed record Host(string Name, MacAddress Mac, InetAddress Address);
}
