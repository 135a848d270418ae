// Is a VTEP there, does the path carry what the route promises, and does anybody listen? By ping with DF, small and of the route's full
// size (and, when only the small one is answered, bisecting for the largest that is), and by one datagram of eight zero bytes to the VXLAN
// port: without the I flag it is no VXLAN, so a VTEP drops and counts it (vxlan_invalid_header), and where nobody listens an ICMP error
// comes back. Silence means that somebody listens, or that a firewall is in between.
//
// All peers at once, bounded in number and time. A peer that wasn't reached in time is said to be untried, never to be bad.

using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>What was found out about a VTEP.</summary>
/// <param name="Peer">It.</param>
/// <param name="PathMtu">Bytes of the largest packet that the route to it carries.</param>
internal sealed record PeerState(VtepEndpoint Peer, int PathMtu)
{
    /// <summary>It was tried to the end.</summary>
    public bool IsTried { get; init; }

    /// <summary>It answers ping; null: this user can't ping.</summary>
    public bool? Answers { get; init; }

    /// <summary>Bytes of the largest packet that was answered; null: none.</summary>
    public int? Carries { get; init; }

    /// <summary>Nobody listens on its VXLAN port.</summary>
    public bool IsDeaf { get; init; }

    /// <summary>Seconds since the daemon heard from it; null: never, or there is no daemon to ask.</summary>
    public long? IdleSeconds { get; init; }
}

/// <summary>Tries VTEPs.</summary>
/// <param name="local">Our VTEP address; datagrams come from there.</param>
internal sealed class PeerProbe(InetAddress local)
{
    /// <summary>VTEPs tried at most.</summary>
    public const int MostPeers = 256;

    private const int AtOnce = 32;
    private const int IcmpHeader = 8;
    private const int SmallPacket = 68;
    private const int LongestEcho = 65_500;
    private static readonly TimeSpan s_whole = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(200);

    /// <summary>A sample of at most <see cref="MostPeers"/>, evenly spread.</summary>
    public static IReadOnlyList<PeerState> Sample(IReadOnlyList<PeerState> peers) => peers.Count <= MostPeers ? peers
        : [.. Enumerable.Range(0, MostPeers).Select(i => peers[(int)((long)i * peers.Count / MostPeers)])];

    /// <summary>Tries them all; the answers stand in the same order.</summary>
    public async Task<IReadOnlyList<PeerState>> TryAsync(IReadOnlyList<PeerState> peers)
    {
        using var deadline = new CancellationTokenSource(s_whole);
        using var slots = new SemaphoreSlim(AtOnce);
        bool canPing = await EchoAsync(local, SmallPacket, s_patience) is not null;
        return await Task.WhenAll(peers.Select(peer => TryAsync(peer, canPing, slots, deadline.Token)));
    }

    private async Task<PeerState> TryAsync(PeerState peer, bool canPing, SemaphoreSlim slots, CancellationToken deadline)
    {
        try
        {
            await slots.WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            return peer;
        }

        try
        {
            Task<bool> deaf = IsDeafAsync(peer.Peer);
            PeerState pinged = canPing ? await PingAsync(peer, deadline) : peer;
            return pinged with { IsDeaf = await deaf, IsTried = true };
        }
        finally
        {
            slots.Release();
        }
    }

    private static async Task<PeerState> PingAsync(PeerState peer, CancellationToken deadline)
    {
        Task<TimeSpan?> full = EchoAsync(peer.Peer.Address, peer.PathMtu, s_patience);
        TimeSpan? small = await EchoAsync(peer.Peer.Address, SmallPacket, s_patience);
        if (await full is not null)
            return peer with { Answers = true, Carries = peer.PathMtu };
        if (small is not { } roundTrip)
            return peer with { Answers = false };
        return peer with { Answers = true, Carries = await BisectAsync(peer, 4 * roundTrip + TimeSpan.FromMilliseconds(60), deadline) };
    }

    // Between a size that is answered and one that isn't. When time is up, what was answered by then counts.
    private static async Task<int> BisectAsync(PeerState peer, TimeSpan patience, CancellationToken deadline)
    {
        (int answered, int lost) = (SmallPacket, peer.PathMtu);
        while (lost - answered > 1 && !deadline.IsCancellationRequested)
        {
            int size = answered + (lost - answered) / 2;
            if (await EchoAsync(peer.Peer.Address, size, patience) is not null)
                answered = size;
            else
                lost = size;
        }

        return answered;
    }

    /// <summary>Sends an echo request in an IP packet of a size, with DF; gives the time its answer took, null when none came.</summary>
    private static async Task<TimeSpan?> EchoAsync(InetAddress remote, int packet, TimeSpan patience)
    {
        int ipHeader = remote.IsIPv4 ? 20 : 40;
        byte[] data = new byte[Math.Clamp(packet - ipHeader - IcmpHeader, 0, LongestEcho)];
        long start = TimeProvider.System.GetTimestamp();
        try
        {
            using var ping = new Ping();
            PingReply reply = await ping.SendPingAsync(remote.ToIPAddress(), patience, data, new PingOptions(64, dontFragment: true));
            return reply.Status == IPStatus.Success ? TimeProvider.System.GetElapsedTime(start) : null;
        }
        catch (Exception e) when (e is PingException or PlatformNotSupportedException or SocketException)
        {
            // Too long for our own link, no route, or no right (without CAP_NET_RAW the framework sends no data of our length): no answer either way.
            return null;
        }
    }

    private async Task<bool> IsDeafAsync(VtepEndpoint peer)
    {
        const int VxlanHeader = 8;
        using var socket = new Socket(local.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        using var silence = new CancellationTokenSource(s_silence);
        try
        {
            socket.Bind(new IPEndPoint(local.ToIPAddress(), 0));
            await socket.ConnectAsync(new IPEndPoint(peer.Address.ToIPAddress(), peer.Port), silence.Token);
            await socket.SendAsync(new byte[VxlanHeader], silence.Token);
            await socket.ReceiveAsync(new byte[1], silence.Token);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
