// Ports over pipes in a VTEP with threads: lanes that hand frames to the owner, a host on a thread of its own, and a socket in place of a pipe, as a virtual
// machine's monitor has it.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Embedding;
using VtepDataPlane.Underlay;
using static VtepDataPlane.Tests.Ports.PipeNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Ports;

internal sealed class PipePortThreadTests
{
    private const int Sequence = 14; // where a frame's number stands

    [Test]
    [CancelAfter(60_000)]
    public async Task TwoLanes_ToOneHost_NothingIsTorn_AndEachLanesFramesStayInOrder(CancellationToken cancellation)
    {
        const int frames = 20_000;
        (PipePort port, IDuplexPipe pipe) = PipePort.CreatePair("pipe", new PipePortOptions { Lane = 1 });
        var source = new MemoryPort("source", lanes: 2);
        InProcessVtep vtep = await StartAsync(workers: 2, port, source);
        var reader = new NumberReader(lanes: 2);
        Task reading = reader.RunAsync(pipe.Input);
        Task[] writing = [.. Enumerable.Range(0, 2).Select(lane => Task.Run(() => Inject(source, lane, frames, cancellation), cancellation))];
        await Task.WhenAll(writing);
        await UntilAsync(() => reader.Wrong is not null || reader.Read + NoBuffer(vtep) == 2 * frames, cancellation);
        await vtep.DisposeAsync();
        await reading;
        Assert.That(reader.Wrong, Is.Null);
        Assert.That(reader.Read, Is.GreaterThan(0));
        Assert.That(vtep.Vtep.Counters().Unaccounted, Is.Zero);
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task ASlowLaneHoldsTheHostsWriterBack_AndNothingIsLost(CancellationToken cancellation)
    {
        const int frames = 50_000;
        (PipePort from, IDuplexPipe sender) = PipePort.CreatePair("from", new PipePortOptions { PauseBytes = 4096 });
        (PipePort to, IDuplexPipe receiver) = PipePort.CreatePair("to", new PipePortOptions { PauseBytes = 64 << 20 });
        InProcessVtep vtep = await StartAsync(workers: 1, from, to);
        var reader = new NumberReader(lanes: 1);
        Task reading = reader.RunAsync(receiver.Input);
        for (int i = 0; i < frames; i++)
        {
            FramePipe.WriteFrame(sender.Output, Numbered(lane: 0, i));
            if (i % 7 == 0)
                await sender.Output.FlushAsync(cancellation);
        }

        await sender.Output.CompleteAsync();
        await UntilAsync(() => reader.Wrong is not null || reader.Read == frames, cancellation);
        await vtep.DisposeAsync();
        await reading;
        Assert.That(reader.Wrong, Is.Null);
    }

    [Test]
    [CancelAfter(20_000)]
    public async Task ASocketWithQemusFraming_IsAHost_UntilItBreaksOff(CancellationToken cancellation)
    {
        (Socket machine, PipePort port) = await ConnectAsync(cancellation);
        var other = new MemoryPort("other");
        await using InProcessVtep vtep = await StartAsync(workers: 1, port, other);
        byte[] request = Arp(MacA), reply = Arp(MacB, IPv4B, IPv4A, MacA);

        await machine.SendAsync(Framed(request), cancellation);
        Assert.That((await other.ReceiveAsync(cancellation)).Bytes, Is.EqualTo(request));
        other.Inject(reply);
        byte[] bytes = new byte[4 + reply.Length];
        for (int read = 0; read < bytes.Length;)
            read += await machine.ReceiveAsync(bytes.AsMemory(read), cancellation);
        Assert.That(bytes, Is.EqualTo(Framed(reply)));

        await machine.SendAsync(Framed(request).AsMemory(0, 10), cancellation);
        machine.Dispose();
        await UntilAsync(() => port.Problem is not null, cancellation);
        Assert.That(port.Problem, Is.EqualTo("Port 'vm': the host completed its writer 10 bytes into a frame."));
        Assert.That(vtep.Vtep.Counters().Drops.GetValueOrDefault(DropReason.FrameTruncated), Is.EqualTo(1));
    }

    [Test]
    [CancelAfter(20_000)]
    public async Task ASocketOfAPortThatIsRemoved_IsClosed_AlsoWhileAReadIsUnderWay(CancellationToken cancellation)
    {
        (Socket machine, PipePort port) = await ConnectAsync(cancellation);
        await using InProcessVtep vtep = await StartAsync(workers: 1, port);
        await machine.SendAsync(Framed(Arp(MacA)), cancellation);
        await UntilAsync(() => vtep.Vtep.Counters().Received == 1, cancellation);
        await vtep.RemovePortAsync("vm");
        Assert.That(await machine.ReceiveAsync(new byte[1], cancellation), Is.Zero, "the end of the stream");
        machine.Dispose();
    }

    // --- help ---

    private static async Task<InProcessVtep> StartAsync(int workers, params IAccessPort[] ports)
    {
        VtepConfig config = EmbeddedVtep.Config("192.0.2.1", EmbeddedVtep.Domain(EmbeddedVtep.Blue)) with { Workers = workers };
        InProcessVtep vtep = InProcessVtep.Start(config, new MemoryNetwork { IsLive = true });
        foreach (IAccessPort port in ports)
            await vtep.AddPortAsync(EmbeddedVtep.Blue, port);
        return vtep;
    }

    private static async Task<(Socket Machine, PipePort Port)> ConnectAsync(CancellationToken cancellation)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var machine = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await machine.ConnectAsync(listener.LocalEndPoint!, cancellation);
        var stream = new NetworkStream(await listener.AcceptAsync(cancellation), ownsSocket: true);
        return (machine, new PipePort("vm", new Ends(PipeReader.Create(stream), PipeWriter.Create(stream))));
    }

    private static void Inject(MemoryPort source, int lane, int frames, CancellationToken cancellation)
    {
        for (int i = 0; i < frames; i++)
        {
            byte[] frame = Numbered(lane, i);
            while (!source.Inject(frame, lane: lane))
            {
                cancellation.ThrowIfCancellationRequested();
                Thread.Yield();
            }
        }
    }

    private static byte[] Numbered(int lane, int number)
    {
        byte[] frame = EmbeddedVtep.Broadcast(station: lane, length: 60 + number % 200);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(Sequence), number);
        return frame;
    }

    private static long NoBuffer(InProcessVtep vtep) => vtep.Vtep.Counters().Drops.GetValueOrDefault(DropReason.PortNoBuffer);

    private static async Task UntilAsync(Func<bool> condition, CancellationToken cancellation)
    {
        while (!condition())
            await Task.Delay(5, cancellation);
    }

    /// <summary>Reads numbered frames until the port is closed. Numbers of each lane must grow; what is missing was dropped.</summary>
    private sealed class NumberReader(int lanes)
    {
        private readonly int[] _next = new int[lanes];
        private int _read;
        private string? _wrong;

        public int Read => Volatile.Read(ref _read);

        public string? Wrong => Volatile.Read(ref _wrong);

        public async Task RunAsync(PipeReader input)
        {
            while (Wrong is null)
            {
                ReadResult result = await input.ReadAsync(CancellationToken.None);
                ReadOnlySequence<byte> buffer = result.Buffer;
                while (FramePipe.TryReadFrame(ref buffer, out ReadOnlySequence<byte> frame))
                    Take(frame.ToArray());
                input.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted)
                    return;
            }
        }

        private void Take(byte[] frame)
        {
            int lane = frame[11], number = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(Sequence));
            if (number < _next[lane] || !frame.AsSpan().SequenceEqual(Numbered(lane, number)))
                Volatile.Write(ref _wrong, $"after {_next[lane] - 1} of lane {lane} came {Convert.ToHexString(frame)}");
            _next[lane] = number + 1;
            Volatile.Write(ref _read, _read + 1);
        }
    }
}
