// A protocol stack of the smallest kind: it says where its addresses are (ARP, RFC 826; neighbour discovery, RFC 4861) and answers pings (RFC 792, RFC 4443).
//
// A ping is answered in place: addresses and MACs change places, which changes no checksum, and the type becomes that of a reply, for which the checksum is
// mended by the difference (RFC 1624).
//
// One task, the caller's, reads and writes the pipe; frames are handled one by one and flushed together.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Samples;

/// <summary>A host that answers. One task.</summary>
/// <param name="mac">Its MAC.</param>
/// <param name="addresses">Its addresses.</param>
public sealed class EchoHost(MacAddress mac, IReadOnlyList<InetAddress> addresses)
{
    private const int IcmpChecksumOffset = 2;

    private readonly byte[] _frame = new byte[FramePipe.MaxFrameLength];

    /// <summary>ARP requests and neighbour solicitations answered.</summary>
    public int Neighbors { get; private set; }

    /// <summary>Pings answered.</summary>
    public int Echoes { get; private set; }

    /// <summary>Frames that asked nothing of it.</summary>
    public int Others { get; private set; }

    /// <summary>Answers until it is cancelled, or the port is closed.</summary>
    /// <param name="pipe">The host's end of a <see cref="PipePort"/>; completed on return.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(IDuplexPipe pipe, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        using CancellationTokenRegistration registration = cancellation.Register(pipe.Input.CancelPendingRead);
        while (!cancellation.IsCancellationRequested)
        {
            ReadResult read = await pipe.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            while (FramePipe.TryReadFrame(ref buffer, out ReadOnlySequence<byte> frame))
                Handle(frame, pipe.Output);
            pipe.Input.AdvanceTo(buffer.Start, buffer.End);
            FlushResult flushed = await pipe.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            if (read.IsCompleted || flushed.IsCompleted)
                break;
        }

        await pipe.Output.CompleteAsync().ConfigureAwait(false);
        await pipe.Input.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>The answer to a frame, written over it; 0 when there is none.</summary>
    /// <param name="room">The frame, with as much room behind it as an advertisement takes.</param>
    /// <param name="length">Its length.</param>
    /// <returns>Bytes of the answer.</returns>
    public int Answer(Span<byte> room, int length)
    {
        int answer = EthernetView.TryParse(room[..length], out EthernetView ethernet) && (ethernet.Destination == mac || ethernet.Destination.IsGroup)
            ? AnswerTo(ethernet.EtherType, ethernet.Source, room, length)
            : 0;
        if (answer == 0)
            Others++;
        return answer;
    }

    private void Handle(in ReadOnlySequence<byte> frame, PipeWriter output)
    {
        frame.CopyTo(_frame);
        int answer = Answer(_frame, (int)frame.Length);
        if (answer > 0)
            FramePipe.WriteFrame(output, _frame.AsSpan(0, answer));
    }

    private int AnswerTo(ushort etherType, MacAddress asker, Span<byte> room, int length)
    {
        Span<byte> payload = room[EthernetHeader.Size..length];
        int answer = etherType switch
        {
            EtherType.Arp => AnswerArp(payload),
            EtherType.IPv4 => AnswerPing(payload),
            EtherType.IPv6 when NeighborSolicitation.TryParse(payload, out NeighborSolicitation asked) => Advertise(asked, room[EthernetHeader.Size..]),
            EtherType.IPv6 => AnswerPing6(payload),
            _ => 0,
        };
        if (answer == 0)
            return 0;
        new EthernetHeader(asker, mac, etherType).Write(room);
        return EthernetHeader.Size + answer;
    }

    private int AnswerArp(Span<byte> payload)
    {
        if (!ArpPacket.TryParse(payload, out ArpPacket asked) || asked.Operation != ArpPacket.Request || !addresses.Contains(asked.TargetAddress))
            return 0;
        new ArpPacket(ArpPacket.Reply, mac, asked.TargetAddress, asked.SenderMac, asked.SenderAddress).Write(payload);
        Neighbors++;
        return ArpPacket.Size;
    }

    // Who looks whether the address is free (from ::) is told as all nodes are, RFC 4861 section 7.2.4.
    private int Advertise(in NeighborSolicitation asked, Span<byte> room)
    {
        if (!addresses.Contains(asked.Target) || asked.Source.IsUnspecified)
            return 0;
        var answer = new NeighborAdvertisement(asked.Target, asked.Source, asked.Target, mac, IsRouter: false, IsSolicited: true, IsOverride: true);
        answer.Write(room[..answer.Size]);
        Neighbors++;
        return answer.Size;
    }

    private int AnswerPing(Span<byte> packet)
    {
        if (!Ipv4View.TryParse(packet, out Ipv4View ip) || ip.Protocol != IpProtocol.IcmpV4 || ip.IsFragment || !addresses.Contains(ip.Destination))
            return 0;
        (InetAddress source, InetAddress destination) = (ip.Source, ip.Destination);
        Span<byte> icmp = packet[ip.HeaderLength..ip.TotalLength];
        if (!TryTurn(icmp, IcmpV4.EchoRequest, IcmpV4.EchoReply))
            return 0;
        destination.Write(packet[12..]);
        source.Write(packet[16..]);
        return ip.TotalLength;
    }

    private int AnswerPing6(Span<byte> packet)
    {
        if (!Ipv6View.TryParse(packet, out Ipv6View ip) || ip.NextHeader != IpProtocol.IcmpV6 || !addresses.Contains(ip.Destination))
            return 0;
        (InetAddress source, InetAddress destination) = (ip.Source, ip.Destination);
        if (!TryTurn(packet[Ipv6Header.Size..ip.TotalLength], IcmpV6.EchoRequest, IcmpV6.EchoReply))
            return 0;
        destination.Write(packet[8..]);
        source.Write(packet[24..]);
        return ip.TotalLength;
    }

    /// <summary>Makes a reply of a request; false when it isn't one.</summary>
    private bool TryTurn(Span<byte> icmp, byte request, byte reply)
    {
        if (icmp.Length < IcmpV4.HeaderSize || icmp[0] != request || icmp[1] != 0)
            return false;
        Span<byte> field = icmp[IcmpChecksumOffset..];
        ushort checksum = InternetChecksum.Update(BinaryPrimitives.ReadUInt16BigEndian(field), (ushort)(request << 8), (ushort)(reply << 8));
        BinaryPrimitives.WriteUInt16BigEndian(field, checksum);
        icmp[0] = reply;
        Echoes++;
        return true;
    }
}
