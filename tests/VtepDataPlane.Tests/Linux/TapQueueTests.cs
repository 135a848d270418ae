// What a TAP queue writes, read back byte by byte: its descriptor is one end of a pair of sockets that keep the borders between writes, as a TAP
// device does. A kernel that refuses super-frames is played by a UDP socket with a tiny UDP_SEGMENT, which takes at most 128 segments a write
// and answers a longer one with EINVAL.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Linux;

internal sealed class TapQueueTests
{
    private const int Size = 100;
    private const int HeaderLength = 54;
    private const string PlainHeader = "00000000000000000000";

    private readonly TapLane _lane = new();
    private SocketPair _device = null!;
    private TapQueue _queue = null!;

    [SetUp]
    public void Open()
    {
        _device = new SocketPair();
        _queue = new TapQueue(_lane);
        _queue.Attach(_device.Ours, receives: true);
    }

    [TearDown]
    public void Close() => _device.Dispose();

    [Test]
    public void ASegmentThatNothingFollows_IsWrittenAsItIs()
    {
        Assert.That(Send(_queue, Segment(0)), Is.EqualTo(1));
        Assert.That(_device.Read(), Is.EqualTo([.. Hex(PlainHeader), .. Segment(0)]));
        Assert.That(_device.Read(), Is.Null);
    }

    [Test]
    public void SegmentsOfOneFlow_AreOneWrite_WithTheirOrderAndTheirNumbers()
    {
        Assert.That(Send(_queue, Segment(0), Arp(), Segment(1), Segment(2)), Is.EqualTo(4));

        // NEEDS_CSUM, TCPV4, hdr_len 54, gso_size 100, csum_start 34, csum_offset 16
        byte[] superFrame = _device.Read()!;
        Assert.That(Convert.ToHexString(superFrame, 0, 10), Is.EqualTo("01013600640022001000"));
        Assert.That(superFrame[(10 + HeaderLength)..], Is.EqualTo([.. Pattern(Size), .. Pattern(Size), .. Pattern(Size)]));
        Assert.That(_device.Read(), Is.EqualTo([.. Hex(PlainHeader), .. Arp()]));
        Assert.That(_device.Read(), Is.Null);
        Assert.That((_queue.Meters.Sent, _queue.Meters.Coalesced, _queue.Meters.TotalDrops), Is.EqualTo((2, 2, 0)));
        Assert.That(_queue.Meters.SentBytes, Is.EqualTo(HeaderLength + 3 * Size + Arp().Length));
    }

    [Test]
    public void AFloodToSeveralPorts_IsMergedForEach_AndLeavesTheFramesAsTheyWere()
    {
        using var other = new SocketPair();
        var otherQueue = new TapQueue(_lane);
        otherQueue.Attach(other.Ours, receives: true);
        FrameBatch batch = Batch(Segment(0), Segment(1));
        foreach (Frame frame in batch)
        {
            _queue.Send(frame);
            otherQueue.Send(frame);
        }

        Assert.That((_queue.Flush(), otherQueue.Flush()), Is.EqualTo((2, 2)));
        Assert.That(_device.Read(), Is.EqualTo(other.Read()).And.Length.EqualTo(10 + HeaderLength + 2 * Size));
        Assert.That(batch[0].Bytes.ToArray(), Is.EqualTo(Segment(0)));
        Assert.That(batch[1].Bytes.ToArray(), Is.EqualTo(Segment(1)));
    }

    [Test]
    public void MoreFramesThanAQueueNotes_AreFlushedInBetween_InOrder()
    {
        byte[][] frames = [.. Enumerable.Range(0, 600).Select(Segment)];
        Assert.That(Send(_queue, frames), Is.EqualTo(600));

        int length = 0;
        int writes = 0;
        while (_device.Read() is { } written)
        {
            uint sequence = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(written.AsSpan(10 + 34 + 4));
            Assert.That(sequence, Is.EqualTo((uint)length));
            length += written.Length - 10 - HeaderLength;
            writes++;
        }

        Assert.That((length, writes), Is.EqualTo((600 * Size, 512 / 64 + 2)));
        Assert.That((_queue.Meters.Sent, _queue.Meters.Coalesced), Is.EqualTo((writes, 600 - writes)));
    }

    [Test]
    public void Flush_WithNothingNoted_WritesNothing()
    {
        Assert.That(_queue.Flush(), Is.Zero);
        Assert.That(_device.Read(), Is.Null);
    }

    [Test]
    public void WithoutADevice_EveryFrameIsADrop()
    {
        _queue.Detach();
        Assert.That(Send(_queue, Segment(0), Segment(1), Arp()), Is.Zero);
        Assert.That(_queue.Meters.Drops(DropReason.PortGone), Is.EqualTo(3));
        Assert.That((_queue.Meters.Sent, _queue.Meters.Coalesced), Is.EqualTo((0, 0)));
    }

    [Test]
    public void ATrainTheDeviceHasNoRoomFor_IsAsManyDrops()
    {
        while (Send(_queue, Arp()) == 1)
        {
        }

        long before = _queue.Meters.Drops(DropReason.PortNoBuffer);
        Assert.That(before, Is.EqualTo(1));
        Assert.That(Send(_queue, Segment(0), Segment(1), Segment(2)), Is.Zero);
        Assert.That(_queue.Meters.Drops(DropReason.PortNoBuffer), Is.EqualTo(before + 3));
        Assert.That(_queue.Meters.Coalesced, Is.Zero);
    }

    [Test]
    public void AKernelThatRefusesSuperFrames_GetsTheFrames_AndNoMoreOfThatKind_UntilItsDeviceIsMadeAnew()
    {
        using var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Socket refusing = Refusing(receiver);
        _queue.Attach((int)refusing.Handle, receives: true);
        byte[][] tcp = [.. Enumerable.Range(0, 20).Select(Segment)];
        byte[][] udp = [.. Enumerable.Repeat(Udp(payload: Pattern(Size)), 20)];

        Assert.That(Send(_queue, tcp), Is.EqualTo(20));
        Assert.That((_queue.Meters.Sent, _queue.Meters.Coalesced, _queue.Meters.TotalDrops), Is.EqualTo((20, 0, 0)), "one by one");

        // The old device would have taken them; the queue has learnt not to ask.
        Swap(refusing, _device.Ours, () =>
        {
            Assert.That(Send(_queue, tcp[..2]), Is.EqualTo(2));
            Assert.That(_queue.Meters.Coalesced, Is.Zero, "no more trains of TCP");
            Assert.That(Send(_queue, udp[..2]), Is.EqualTo(2));
            Assert.That(_queue.Meters.Coalesced, Is.EqualTo(1), "but of UDP");
        });
        Assert.That(Send(_queue, udp), Is.EqualTo(20));
        Assert.That(_queue.Meters.Coalesced, Is.EqualTo(1), "UDP is refused as well");

        _queue.Detach();
        _queue.Attach(_device.Ours, receives: true);
        Assert.That(Send(_queue, tcp[..3]), Is.EqualTo(3));
        Assert.That(Send(_queue, udp[..3]), Is.EqualTo(3));
        Assert.That(_queue.Meters.Coalesced, Is.EqualTo(5));
    }

    [Test]
    public void AFloodToMorePortsThanThereAreNotes_LosesNothing()
    {
        const int Ports = 9000;
        TapQueue[] queues = [.. Enumerable.Range(0, Ports).Select(_ => new TapQueue(_lane))];
        FrameBatch batch = Batch(Arp(), Arp(), Arp());
        foreach (Frame frame in batch)
        {
            foreach (TapQueue queue in queues)
                queue.Send(frame);
        }

        Assert.That(queues.Sum(queue => queue.Flush()), Is.Zero);
        Assert.That(queues.Select(queue => queue.Meters.Drops(DropReason.PortGone)), Is.All.EqualTo(3), "they have no device");
    }

    [Test]
    public void SendAndFlush_AllocateNothing()
    {
        FrameBatch batch = Batch(Segment(0), Segment(1), Arp(), Segment(2));
        _queue.Detach();
        Send(_queue, batch); // compiles, and makes the notes
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 100; round++)
            Send(_queue, batch);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    /// <summary>Puts another file under the descriptor for a while: the queue sees the same device.</summary>
    private static void Swap(Socket socket, int with, Action action)
    {
        int fd = (int)socket.Handle;
        int kept = LibC.dup(fd);
        Assert.That(LibC.dup2(with, fd), Is.EqualTo(fd));
        try
        {
            action();
        }
        finally
        {
            _ = LibC.dup2(kept, fd);
            _ = LibC.close(kept);
        }
    }

    private static Socket Refusing(Socket receiver)
    {
        const int UdpSegment = 103;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(receiver.LocalEndPoint!);
        socket.SetRawSocketOption((int)SocketOptionLevel.Udp, UdpSegment, BitConverter.GetBytes(8));
        return socket;
    }

    private static int Send(TapQueue queue, params byte[][] frames) => Send(queue, Batch(frames));

    private static int Send(TapQueue queue, FrameBatch batch)
    {
        foreach (Frame frame in batch)
            queue.Send(frame);
        return queue.Flush();
    }

    private static FrameBatch Batch(params byte[][] frames)
    {
        var batch = new FrameBatch(frames.Length, room: 2048);
        foreach (byte[] bytes in frames)
        {
            Assert.That(batch.TryAdd(bytes));
            FrameHeaders.Parse(bytes, out batch[batch.Count - 1].Info.Headers);
        }

        return batch;
    }

    private static byte[] Segment(int i) => Tcp(sequence: (uint)(i * Size), payload: Pattern(Size), flags: TcpFlags.Ack);

    /// <summary>Two connected sockets that keep the borders between writes; neither blocks.</summary>
    private sealed unsafe class SocketPair : IDisposable
    {
        private readonly int _theirs;

        public SocketPair()
        {
            int* pair = stackalloc int[2];
            Assert.That(LibC.socketpair(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_NONBLOCK, 0, pair), Is.Zero);
            (Ours, _theirs) = (pair[0], pair[1]);
        }

        public int Ours { get; }

        /// <summary>What was written with one call; null: nothing more.</summary>
        public byte[]? Read()
        {
            byte[] room = new byte[70_000];
            fixed (byte* bytes = room)
            {
                int n = (int)LibC.read(_theirs, bytes, room.Length);
                return n < 0 ? null : room[..n];
            }
        }

        public void Dispose()
        {
            _ = LibC.close(Ours);
            _ = LibC.close(_theirs);
        }
    }
}
