// What must hold for all traffic: nothing vanishes or appears twice, every flow keeps its order, and whoever cuts the super-frames up again gets
// the frames that were put in. Traffic is that of a few senders, with what networks do to it: loss, reordering, corruption, padding, odd flags.
//
// The model of which frames may go together knows no rule about headers. It glues the frames together, cuts the result by the book, and
// looks whether the same frames come out.

using System.Buffers.Binary;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

public sealed class CoalescerPropertyTests
{
    private const int MaxFrames = 64;
    private const TcpFlags Data = TcpFlags.Ack;

    /// <summary>One sender: what stays the same over its frames.</summary>
    private sealed record Sender(bool Tcp, bool V6, int Tags, bool Df, int IdStep, int Size, int Options, bool Partial, int Port)
    {
        public uint Sequence { get; set; } = uint.MaxValue - 500; // wraps soon

        public int Id { get; set; } = 0xFFFA;
    }

    private static readonly Gen<Sender> s_sender =
        from tcp in Gen.Bool
        from v6 in Gen.Bool
        from tags in Gen.Int[0, 2]
        from df in Gen.Bool
        from idStep in Gen.Frequency((4, Gen.Const(1)), (1, Gen.Int[0, 3]))
        from size in Gen.Int[1, 200]
        from options in Gen.Int[0, 10]
        from partial in Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true)))
        from port in Gen.Int[1, 65535]
        select new Sender(tcp, v6, tags, df, idStep, size, 4 * options, partial, port);

    /// <summary>What befalls a frame; most often nothing.</summary>
    private enum Fate
    {
        Plain, Shorter, Longer, Push, Fin, Syn, Rst, Urgent, Cwr, Ece, PureAck, OtherWindow, OtherAck, OtherTos, OtherTtl, OtherMac, WrongChecksum, WrongHeaderChecksum, ZeroChecksum,
        Padded, Lost, SentAgain, Fragment, Arp, ToOther,
    }

    private static readonly Gen<Fate> s_fate = Gen.Frequency((30, Gen.Const(Fate.Plain)), (3, Gen.Const(Fate.Push)), (3, Gen.Const(Fate.Shorter)), (8, Gen.Enum<Fate>()));

    private static readonly Gen<List<Noted>> s_traffic =
        from senders in s_sender.Array[1, 4]
        from steps in Gen.Select(Gen.Int[0, 3], s_fate).Array[1, 150]
        from swaps in Gen.Int[0, 149].Array[0, 4]
        select Traffic(senders, steps, swaps);

    [Test]
    public void EveryFrame_IsWrittenOnce() => s_traffic.Sample(frames =>
    {
        IEnumerable<int> numbers = Coalescing.Run(frames).SelectMany(train => train.Frames).Order();
        Assert.That(numbers, Is.EqualTo(Enumerable.Range(0, frames.Count)));
    });

    [Test]
    public void EveryFlow_KeepsItsOrder() => s_traffic.Sample(frames =>
    {
        IEnumerable<int> numbers = Coalescing.Run(frames).SelectMany(train => train.Frames);
        foreach (IGrouping<string, int> flow in numbers.GroupBy(frame => FlowOf(frames[frame].Bytes)))
        {
            if (flow.Key.Length > 0)
                Assert.That(flow, Is.Ordered);
        }
    });

    [Test]
    public void CutAgain_EveryTrainIsItsFrames() => s_traffic.Sample(frames =>
    {
        foreach (Written train in Coalescing.Run(frames))
        {
            if (train.Frames.Length == 1)
                Assert.That((train.Bytes, train.Offload), Is.EqualTo((frames[train.Frames[0]].Bytes, frames[train.Frames[0]].Offload)));
            else
                Assert.That(train.Cut().Select(AsSeen), Is.EqualTo(train.Frames.Select(frame => AsSeen(Finished(frames[frame])))));
        }
    });

    [Test]
    public void OneSender_IsMergedExactlyAsTheModelSays() => s_traffic.Sample(traffic =>
    {
        // the first frame's flow alone, so that no other can get into its cell
        List<Noted> frames = [.. traffic.Where(frame => FlowOf(frame.Bytes) == FlowOf(traffic[0].Bytes))];
        Assert.That(Coalescing.Groups(frames), Is.EqualTo(Model(frames)));
    });

    // Not exactly: two flows in one cell close each other's trains, and what starts anew there may go on for longer than the model's.
    [Test]
    public void SeveralSenders_AreMergedOnlyWhereTheModelAllowsIt() => s_traffic.Sample(frames =>
    {
        foreach (Written train in Coalescing.Run(frames).Where(train => train.Frames.Length > 1))
            Assert.That(MayGoTogether([.. train.Frames.Select(frame => frames[frame])]), string.Join(' ', train.Frames));
    });

    [Test]
    public void SegmentsOfASuperFrame_BecomeTheSameSuperFrame()
    {
        Gen<(byte[], int)> superFrames =
            from sender in s_sender
            from size in Gen.Int[8, 1460]
            from count in Gen.Int[2, 40]
            from shortBy in Gen.Int[0, 7]
            from flags in Gen.OneOf(Gen.Const(Data), Gen.Const(Data | TcpFlags.Psh), Gen.Const(Data | TcpFlags.Ece))
            select (SuperFrame(sender, Pattern(size * count - shortBy), flags), size);
        superFrames.Sample((superFrame, size) =>
        {
            OffloadInfo offload = SuperFrames.Describe(superFrame, size);
            List<byte[]> segments = SuperFrames.Cut(superFrame, offload);
            List<Written> written = Coalescing.Run([.. segments.Select(segment => (Noted)segment)]);
            Assert.That(written, Has.Count.EqualTo(1));
            Assert.That(written[0].Bytes, Is.EqualTo(superFrame));
            Assert.That(written[0].Offload, Is.EqualTo(offload));
        });
    }

    [Test]
    public void AnyBytes_DoNoHarm()
    {
        // real frames with some bytes overwritten, and metadata that may lie
        Gen<Noted> frames =
            from sender in s_sender
            from changes in Gen.Select(Gen.Int[0, 70], Gen.Byte).Array[0, 4]
            from cut in Gen.Int[0, 60]
            from needs in Gen.Bool
            from start in Gen.Int[0, 200]
            select Mangled(sender, changes, cut, new OffloadInfo { NeedsChecksum = needs, ChecksumStart = (ushort)start, ChecksumOffset = 16 });
        frames.Array[1, 20].Sample(array =>
        {
            IEnumerable<int> numbers = Coalescing.Run(array).SelectMany(train => train.Frames).Order();
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(0, array.Length)));
        });
    }

    // --- traffic ---

    private static List<Noted> Traffic(Sender[] senders, (int Sender, Fate Fate)[] steps, int[] swaps)
    {
        senders = [.. senders.Select(sender => sender with { })]; // they count
        List<Noted> frames = [];
        foreach ((int index, Fate fate) in steps)
        {
            Sender sender = senders[index % senders.Length];
            if (Frame(sender, fate) is { } frame)
                frames.Add(frame);
        }

        foreach (int swap in swaps.Where(swap => swap + 1 < frames.Count))
            (frames[swap], frames[swap + 1]) = (frames[swap + 1], frames[swap]);
        if (frames.Count == 0)
            frames.Add(Arp());
        return frames;
    }

    private static Noted? Frame(Sender sender, Fate fate)
    {
        if (fate == Fate.Arp)
            return Arp();
        if (fate == Fate.Fragment)
            return Ip(sender.Tcp ? IpProtocol.Tcp : IpProtocol.Udp, Pattern(64), sourceIp: Source(sender), destinationIp: Destination(sender), fragmentOffset: 64);
        int size = fate switch { Fate.PureAck => 0, Fate.Shorter => sender.Size / 2, Fate.Longer => sender.Size + 1, _ => sender.Size };
        byte[] bytes = sender.Tcp ? TcpFrame(sender, fate, size) : UdpFrame(sender, fate, size);
        if (fate != Fate.SentAgain)
        {
            sender.Sequence += (uint)size;
            sender.Id += sender.IdStep;
        }

        if (fate == Fate.WrongHeaderChecksum && !sender.V6)
            bytes[14 + 4 * sender.Tags + 10] ^= 4;
        if (fate == Fate.Padded)
            bytes = [.. bytes, 0];
        if (fate == Fate.Lost)
            return null;
        return sender.Partial ? Noted.Partial(bytes) : bytes;
    }

    private static byte[] TcpFrame(Sender sender, Fate fate, int size) => Tcp(
        source: fate == Fate.OtherMac ? MacAddress.Parse("02:00:00:00:00:0d") : null,
        sourceIp: Source(sender), destinationIp: Destination(sender), sourcePort: sender.Port, vlans: Vlans(sender), df: sender.Df,
        tos: (byte)(fate == Fate.OtherTos ? 3 : 2), ttl: (byte)(fate == Fate.OtherTtl ? 63 : 64), identification: sender.Id & 0xFFFF, sequence: sender.Sequence,
        acknowledgment: fate == Fate.OtherAck ? 8u : 7u, window: fate == Fate.OtherWindow ? 8 : 7, options: new byte[sender.Options], payload: Pattern(size),
        flags: Data | FlagOf(fate), checksum: ChecksumOf(sender, fate));

    private static byte[] UdpFrame(Sender sender, Fate fate, int size)
    {
        byte[] udp = Udp(
            source: fate == Fate.OtherMac ? MacAddress.Parse("02:00:00:00:00:0d") : null,
            sourceIp: Source(sender), destinationIp: Destination(sender), sourcePort: sender.Port, payload: Pattern(size), checksum: ChecksumOf(sender, fate));
        byte[] transport = udp[(sender.V6 ? 54 : 34)..];
        return Ip(
            IpProtocol.Udp, transport, fate == Fate.OtherMac ? MacAddress.Parse("02:00:00:00:00:0d") : null, sourceIp: Source(sender), destinationIp: Destination(sender),
            tos: (byte)(fate == Fate.OtherTos ? 3 : 2), ttl: (byte)(fate == Fate.OtherTtl ? 63 : 64), df: sender.Df, vlans: Vlans(sender), identification: sender.Id & 0xFFFF);
    }

    private static TcpFlags FlagOf(Fate fate) => fate switch
    {
        Fate.Push => TcpFlags.Psh,
        Fate.Fin => TcpFlags.Fin,
        Fate.Syn => TcpFlags.Syn,
        Fate.Rst => TcpFlags.Rst,
        Fate.Urgent => TcpFlags.Urg,
        Fate.Cwr => TcpFlags.Cwr,
        Fate.Ece => TcpFlags.Ece,
        _ => TcpFlags.None,
    };

    private static TestChecksum ChecksumOf(Sender sender, Fate fate) => fate switch
    {
        Fate.WrongChecksum => TestChecksum.Wrong,
        Fate.ZeroChecksum => TestChecksum.Zero,
        _ => sender.Partial ? TestChecksum.Partial : TestChecksum.Right,
    };

    private static byte[] SuperFrame(Sender sender, byte[] payload, TcpFlags flags) => sender.Tcp
        ? Tcp(
            sourceIp: Source(sender), destinationIp: Destination(sender), vlans: Vlans(sender), df: sender.Df, identification: sender.Id, sequence: sender.Sequence,
            options: new byte[sender.Options], payload: payload, flags: flags, checksum: TestChecksum.Partial)
        : Udp(sourceIp: Source(sender), destinationIp: Destination(sender), vlans: Vlans(sender), df: sender.Df, payload: payload, checksum: TestChecksum.Partial);

    private static Noted Mangled(Sender sender, (int Offset, byte Value)[] changes, int cut, OffloadInfo offload)
    {
        byte[] bytes = Frame(sender with { }, Fate.Plain)!.Bytes;
        foreach ((int offset, byte value) in changes.Where(change => change.Item1 < bytes.Length))
            bytes[offset] = value;
        bytes = cut < 20 ? bytes[..^Math.Min(cut, bytes.Length)] : bytes;
        return new Noted(bytes, offload.IsSane(bytes.Length) ? offload : default);
    }

    private static string Source(Sender sender) => sender.V6 ? IPv6A : IPv4A;

    private static string Destination(Sender sender) => sender.V6 ? IPv6B : IPv4B;

    private static int[] Vlans(Sender sender) => [.. Enumerable.Range(9, sender.Tags)];

    // --- the model ---

    private static string Model(List<Noted> frames)
    {
        List<List<int>> trains = [];
        Dictionary<string, List<int>> open = [];
        for (int i = 0; i < frames.Count; i++)
        {
            string flow = FlowOf(frames[i].Bytes);
            if (flow == "fragment")
                open.Clear();
            if (flow.Length > 0 && open.TryGetValue(flow, out List<int>? train) && MayGoTogether([.. train.Select(frame => frames[frame]), frames[i]]))
            {
                train.Add(i);
                continue;
            }

            trains.Add([i]);
            open[flow] = trains[^1];
        }

        return string.Join(" | ", trains.Select(train => string.Join(' ', train)));
    }

    private static bool MayGoTogether(Noted[] frames)
    {
        if (frames.Length > MaxFrames || frames.Any(frame => !MayTravelTogether(frame)) || frames.Any(frame => frame.Offload.NeedsChecksum != frames[0].Offload.NeedsChecksum))
            return false;
        FrameHeaders.Parse(frames[0].Bytes, out FrameHeaders headers);
        int headerLength = headers.TransportOffset + (headers.Protocol == IpProtocol.Udp ? 8 : (frames[0].Bytes[headers.TransportOffset + 12] >> 4) * 4);
        int size = frames[0].Bytes.Length - headerLength;
        bool isTcp = headers.Protocol == IpProtocol.Tcp;
        if (frames.Any(frame => frame.Bytes.Length <= headerLength) || (isTcp && size < 8))
            return false;
        byte[] glued = [.. frames[0].Bytes[..headerLength], .. frames.SelectMany(frame => frame.Bytes[headerLength..])];
        if (isTcp)
            glued[headers.TransportOffset + 13] |= (byte)(frames[^1].Bytes[headers.TransportOffset + 13] & (byte)TcpFlags.Psh);
        SetLength(glued, headers);
        return SuperFrames.CutByTheBook(glued, size).Select(AsSeen).SequenceEqual(frames.Select(frame => AsSeen(Finished(frame))), s_sameBytes);
    }

    private static readonly EqualityComparer<byte[]> s_sameBytes =
        EqualityComparer<byte[]>.Create((a, b) => a.AsSpan().SequenceEqual(b), bytes => bytes.Length);

    /// <summary>What isn't about neighbours: flags that always travel alone, a missing checksum, an unfinished one that is wrong, padding.</summary>
    private static bool MayTravelTogether(Noted frame)
    {
        FrameHeaders.Parse(frame.Bytes, out FrameHeaders headers);
        if (headers.NetworkOffset + headers.NetworkLength != frame.Bytes.Length)
            return false;
        if (frame.Offload.NeedsChecksum && !TransportChecksum.IsPartial(frame.Bytes, headers, out _, out _))
            return false;
        ReadOnlySpan<byte> transport = frame.Bytes.AsSpan(headers.TransportOffset);
        if (headers.Protocol == IpProtocol.Udp)
            return BinaryPrimitives.ReadUInt16BigEndian(transport[6..]) != 0;
        return ((TcpFlags)transport[13] & ~(TcpFlags.Psh | TcpFlags.Ece)) == TcpFlags.Ack;
    }

    private static void SetLength(byte[] frame, in FrameHeaders headers)
    {
        int offset = headers.NetworkOffset + (headers.IpVersion == 4 ? 2 : 4);
        int length = frame.Length - headers.NetworkOffset - (headers.IpVersion == 4 ? 0 : 40);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(offset), (ushort)length);
        if (headers.Protocol == IpProtocol.Udp)
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(headers.TransportOffset + 4), (ushort)(frame.Length - headers.TransportOffset));
    }

    /// <summary>With its transport checksum finished where it wasn't.</summary>
    private static byte[] Finished(Noted frame)
    {
        byte[] bytes = [.. frame.Bytes];
        if (frame.Offload.NeedsChecksum)
            TransportChecksum.TryComplete(bytes, frame.Offload.ChecksumStart, frame.Offload.ChecksumOffset);
        return bytes;
    }

    /// <summary>As receivers see it: with DF the identification says nothing (RFC 6864), so it is taken out, and out of the checksum.</summary>
    private static byte[] AsSeen(byte[] frame)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        if (!headers.DontFragment)
            return frame;
        byte[] seen = [.. frame];
        Span<byte> header = seen.AsSpan(headers.NetworkOffset);
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(header[10..]);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Update(checksum, id, 0));
        header.Slice(4, 2).Clear();
        return seen;
    }

    private static string FlowOf(byte[] frame)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        if (headers.IsFragment)
            return "fragment";
        if (headers.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || headers.TransportOffset == 0)
            return "";
        int addresses = headers.NetworkOffset + (headers.IpVersion == 4 ? 12 : 8);
        int end = addresses + (headers.IpVersion == 4 ? 8 : 32);
        return $"{headers.Protocol} {Convert.ToHexString(frame[addresses..end])} {Convert.ToHexString(frame, headers.TransportOffset, 4)}";
    }
}
