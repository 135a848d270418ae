// A protocol stack of the smallest kind: it says where its addresses are (ARP, RFC 826; neighbour discovery, RFC 4861) and answers pings (RFC 792, RFC 4443).
//
// Everything is answered in place. Of a ping, addresses and MACs change places, which changes no checksum, and the type becomes that of a reply, for which
// the checksum is mended by the difference (RFC 1624). Of a solicitation there becomes an advertisement of the same length or 8 bytes more.
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
    private const ulong ArpRequest = 0x0001_0800_0604_0001; // Ethernet, IPv4, their lengths, a request
    private const ulong ArpReply = 0x0001_0800_0604_0002;
    private const int ArpSize = 28;
    private const int IcmpHeaderSize = 8;
    private const int Ipv4HeaderSize = 20;
    private const int Ipv6HeaderSize = 40;
    private const int SolicitationSize = 24;
    private const int AdvertisementSize = 32; // with the option that names the MAC

    private readonly byte[] _frame = new byte[FramePipe.MaxFrameLength + AdvertisementSize];

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
    /// <param name="room">The frame, with at least 32 bytes of room behind it.</param>
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
        Span<byte> packet = room[EthernetHeader.Size..];
        int size = length - EthernetHeader.Size;
        int answer = etherType switch
        {
            EtherType.Arp => AnswerArp(packet[..size]),
            EtherType.IPv4 => AnswerIPv4(packet[..size]),
            EtherType.IPv6 => AnswerIPv6(packet, size),
            _ => 0,
        };
        if (answer == 0)
            return 0;
        new EthernetHeader(asker, mac, etherType).Write(room);
        return EthernetHeader.Size + answer;
    }

    // operation 6, sender's MAC 8 and address 14, target's MAC 18 and address 24
    private int AnswerArp(Span<byte> arp)
    {
        if (arp.Length < ArpSize || BinaryPrimitives.ReadUInt64BigEndian(arp) != ArpRequest)
            return 0;
        InetAddress asked = InetAddress.ReadIPv4(arp[24..]);
        if (!addresses.Contains(asked))
            return 0;
        BinaryPrimitives.WriteUInt64BigEndian(arp, ArpReply);
        arp[8..18].CopyTo(arp[18..]);
        mac.Write(arp[8..]);
        asked.Write(arp[14..]);
        Neighbors++;
        return ArpSize;
    }

    // total length 2, fragment 6, protocol 9, source 12, destination 16
    private int AnswerIPv4(Span<byte> packet)
    {
        if (packet.Length < Ipv4HeaderSize || packet[0] >> 4 != 4)
            return 0;
        int header = (packet[0] & 15) * 4, total = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        bool isFragment = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x3FFF) != 0;
        if (header < Ipv4HeaderSize || total < header || total > packet.Length || isFragment || packet[9] != IpProtocol.IcmpV4)
            return 0;
        (InetAddress source, InetAddress destination) = (InetAddress.ReadIPv4(packet[12..]), InetAddress.ReadIPv4(packet[16..]));
        if (!addresses.Contains(destination) || !TryTurn(packet[header..total], request: 8, reply: 0))
            return 0;
        destination.Write(packet[12..]);
        source.Write(packet[16..]);
        return total;
    }

    // payload length 4, next header 6, hop limit 7, source 8, destination 24
    private int AnswerIPv6(Span<byte> room, int size)
    {
        if (size < Ipv6HeaderSize + IcmpHeaderSize || room[0] >> 4 != 6 || room[6] != IpProtocol.IcmpV6)
            return 0;
        int total = Ipv6HeaderSize + BinaryPrimitives.ReadUInt16BigEndian(room[4..]);
        if (total > size || Sum(room[..total]) != 0xFFFF)
            return 0;
        (InetAddress source, InetAddress destination) = (InetAddress.ReadIPv6(room[8..]), InetAddress.ReadIPv6(room[24..]));
        if (room[Ipv6HeaderSize] == 135)
            return Advertise(room, total, source);
        if (!addresses.Contains(destination) || !TryTurn(room[Ipv6HeaderSize..total], request: 128, reply: 129))
            return 0;
        destination.Write(room[8..]);
        source.Write(room[24..]);
        return total;
    }

    // A hop limit of 255 says that no router has passed it on. Who asks from :: looks whether the address is free; it is left to find out by itself.
    private int Advertise(Span<byte> room, int total, InetAddress asker)
    {
        Span<byte> icmp = room[Ipv6HeaderSize..];
        if (room[7] != 255 || total < Ipv6HeaderSize + SolicitationSize || !asker.IsUnicast)
            return 0;
        InetAddress target = InetAddress.ReadIPv6(icmp[8..]);
        if (!addresses.Contains(target))
            return 0;
        BinaryPrimitives.WriteUInt16BigEndian(room[4..], AdvertisementSize);
        target.Write(room[8..]);
        asker.Write(room[24..]);
        BinaryPrimitives.WriteUInt64BigEndian(icmp, 0x8800_0000_6000_0000); // type 136, no checksum yet; solicited, override
        BinaryPrimitives.WriteUInt16BigEndian(icmp[24..], 0x0201); // the target's MAC, one unit of 8 bytes
        mac.Write(icmp[26..]);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], (ushort)~Sum(room[..(Ipv6HeaderSize + AdvertisementSize)]));
        Neighbors++;
        return Ipv6HeaderSize + AdvertisementSize;
    }

    /// <summary>Makes a reply of a request; false when it isn't one.</summary>
    private bool TryTurn(Span<byte> icmp, byte request, byte reply)
    {
        if (icmp.Length < IcmpHeaderSize || icmp[0] != request || icmp[1] != 0)
            return false;
        uint sum = (uint)(ushort)~BinaryPrimitives.ReadUInt16BigEndian(icmp[2..]) + (ushort)~(request << 8) + (uint)(reply << 8);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], (ushort)~Fold(sum));
        icmp[0] = reply;
        Echoes++;
        return true;
    }

    // Of an IPv6 packet's payload with its pseudo-header (RFC 8200 section 8.1): both addresses, length, protocol.
    private static ushort Sum(ReadOnlySpan<byte> packet)
    {
        ulong sum = (ulong)(packet.Length - Ipv6HeaderSize) + IpProtocol.IcmpV6;
        ReadOnlySpan<byte> words = packet[8..];
        for (; words.Length >= 2; words = words[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(words);
        return Fold(words.IsEmpty ? sum : sum + ((ulong)words[0] << 8));
    }

    private static ushort Fold(ulong sum)
    {
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }
}
