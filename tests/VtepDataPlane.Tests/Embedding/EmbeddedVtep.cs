// What the tests of embedding share: configurations, frames that tell who sent them, and a bound for waiting.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Embedding;

/// <summary>Makes what a program would.</summary>
internal static class EmbeddedVtep
{
    public static readonly Vni Blue = new(100);

    public static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token;

    public static VtepEndpoint Peer(string address) => new(InetAddress.Parse(address), UnderlayConfig.DefaultPort);

    public static BridgeDomainConfig Domain(Vni vni, params string[] peers) => new()
    {
        Name = $"d{vni}",
        Vni = vni,
        Discovery = new StaticDiscovery { Peers = [.. peers.Select(Peer)] },
    };

    public static VtepConfig Config(string local, params BridgeDomainConfig[] domains) => new()
    {
        Workers = 1,
        FdbCapacity = 4096,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(local) },
        BridgeDomains = domains,
    };

    /// <summary>A broadcast from a station.</summary>
    public static byte[] Broadcast(int station, int length = 60) => Frame(station, to: null, length);

    /// <summary>A frame from one station to another, or to all.</summary>
    public static byte[] Frame(int from, int? to, int length = 60)
    {
        byte[] frame = new byte[length];
        frame.AsSpan(0, 6).Fill(0xFF);
        if (to is { } station)
            Mac(station).CopyTo(frame);
        Mac(from).CopyTo(frame.AsSpan(6));
        frame[12] = 0x88; // an EtherType for experiments, IEEE 802
        frame[13] = 0xB5;
        return frame;
    }

    public static MacAddress MacOf(int station) => MacAddress.Parse($"02:00:00:00:{station >> 8:x2}:{station & 255:x2}");

    private static byte[] Mac(int station) => [2, 0, 0, 0, (byte)(station >> 8), (byte)station];
}
