// A VTEP in memory with ports over pipes, served on the test's thread, and the hosts at their other ends. Conservation is asserted when it is
// disposed of.

using System.Buffers;
using System.IO.Pipelines;
using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Ports;

/// <summary>A host at the end of a pipe, which reads what is there and never waits.</summary>
internal sealed class PipeHost(PipePort port, IDuplexPipe pipe)
{
    public PipePort Port => port;

    public PipeReader Input => pipe.Input;

    public PipeWriter Output => pipe.Output;

    /// <summary>Writes frames and flushes; the flush, which waits when the port is behind.</summary>
    public Task<FlushResult> Write(params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            FramePipe.WriteFrame(Output, frame);
        return Output.FlushAsync().AsTask();
    }

    /// <summary>Writes bytes as they are.</summary>
    public Task<FlushResult> WriteRaw(ReadOnlySpan<byte> bytes)
    {
        Output.Write(bytes);
        return Output.FlushAsync().AsTask();
    }

    /// <summary>The frames that are there, as hex.</summary>
    public List<string> TakeFrames()
    {
        var frames = new List<string>();
        if (!Input.TryRead(out ReadResult result))
            return frames;
        ReadOnlySequence<byte> buffer = result.Buffer;
        while (FramePipe.TryReadFrame(ref buffer, out ReadOnlySequence<byte> frame))
            frames.Add(Convert.ToHexString(frame.ToArray()));
        Input.AdvanceTo(buffer.Start, buffer.End);
        return frames;
    }
}

/// <summary>Both halves of a pipe.</summary>
internal sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

/// <summary>One VTEP whose domain has ports over pipes, and one peer that nobody is at.</summary>
internal sealed class PipeNetwork : IDisposable
{
    public const string Peer = "198.18.0.2";

    private readonly MemoryNetwork _wire = new(seed: 1) { Recording = [] };
    private readonly MemoryHost _host;

    public PipeNetwork(params PipeHost[] hosts)
        : this(workers: 1, peers: [], hosts)
    {
    }

    public PipeNetwork(int workers, string[] peers, params PipeHost[] hosts)
    {
        _host = new MemoryHost(_wire, InetAddress.Parse("198.18.0.1"));
        Vtep = new Vtep(Config(workers, peers, hosts), _host, seed: 0x1234_5678, nowMilliseconds: 0);
    }

    public Vtep Vtep { get; }

    /// <summary>Datagrams the VTEP sent.</summary>
    public IReadOnlyList<MemoryDatagram> Datagrams => _wire.Recording!;

    public static PipeHost Host(string name, PipePortOptions? options = null)
    {
        (PipePort port, IDuplexPipe pipe) = PipePort.CreatePair(name, options);
        return new PipeHost(port, pipe);
    }

    public static VtepConfig Config(int workers, string[] peers, params PipeHost[] hosts) => new()
    {
        Workers = workers,
        FdbCapacity = 4096,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") },
        BridgeDomains =
        [
            new BridgeDomainConfig
            {
                Name = "pipes",
                Vni = new Vni(100),
                Ports = [.. hosts.Select(host => PortConfig.Of(host.Port) with { Mtu = host.Port.Mtu })],
                Discovery = new StaticDiscovery { Peers = [.. peers.Select(peer => new VtepEndpoint(InetAddress.Parse(peer), 4789))] },
            },
        ],
    };

    /// <summary>Serves every lane until nothing waits.</summary>
    public void Run() => _host.Run(Vtep, nowMilliseconds: 1000);

    /// <summary>Serves one port one batch; its frames.</summary>
    public int Serve(int port) => Vtep.Lanes[0].ServePort(_host.Served[port], nowMilliseconds: 1000);

    /// <summary>A datagram from the peer.</summary>
    public void Deliver(byte[] frame)
    {
        byte[] datagram = Network.TestNetwork.Vxlan(100, frame);
        var outer = new OuterHeader { Remote = new VtepEndpoint(InetAddress.Parse("198.18.0.1"), 4789) };
        _wire.Send(new MemoryDatagram(new VtepEndpoint(InetAddress.Parse(Peer), 50_000), outer, datagram));
        _wire.Deliver();
        Run();
    }

    /// <summary>A frame goes from one host to another, and neither port has a problem.</summary>
    public void AssertGoesOn(PipeHost one, PipeHost other)
    {
        byte[] frame = TestFrames.Udp(TestFrames.MacB, MacAddress.Parse("02:00:00:00:00:0c"));
        one.Write(frame);
        Run();
        Assert.That(other.TakeFrames(), Does.Contain(Convert.ToHexString(frame)));
        Assert.That((one.Port.Problem, other.Port.Problem), Is.EqualTo(((string?)null, (string?)null)));
    }

    /// <summary>A frame behind its length.</summary>
    public static byte[] Framed(byte[] frame)
    {
        var buffer = new ArrayBufferWriter<byte>();
        FramePipe.WriteFrame(buffer, frame);
        return buffer.WrittenSpan.ToArray();
    }

    public long Drops(DropReason reason) => Vtep.Counters().Drops.GetValueOrDefault(reason);

    public void Dispose()
    {
        Run();
        CounterSnapshot counters = Vtep.Counters();
        Assert.That(counters.Unaccounted, Is.Zero, $"{counters}, {string.Join(", ", counters.Drops)}");
        Vtep.Dispose();
        Assert.That(Vtep.Counters().Unaccounted, Is.Zero);
    }
}
