// The same super-frame, cut up here and by the kernel, compared byte for byte. It is written to a TAP device with its virtio header; a
// traffic control action sends it out of a veth whose offloads are all off, so the kernel must cut it up in software, and what comes
// out of the other end is caught by a packet socket.
//
//   TAP tap0 --(mirred)--> veth v0  [kernel cuts up and sums]  veth v1 --> AF_PACKET
//
// The kernel takes the outermost VLAN tag off a frame before a packet socket sees it; ours loses it before comparing.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;
using VtepDataPlane.Tests;
using VtepDataPlane.Tests.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.SystemTests.Linux;

[TestFixture]
internal sealed class KernelSegmentationTests
{
    private static readonly byte[] s_timestamps = Hex("0101080a 11111111 22222222");

    private NetworkNamespace _host = null!;
    private WorkerSet _workers = null!;
    private RtNetlink _netlink = null!;
    private TapPort _tap = null!;
    private RawSocket _wire = null!;

    [OneTimeSetUp]
    public void Connect()
    {
        Requirements.Need("tc", "ethtool");
        _host = new NetworkNamespace("segment");
        _workers = new WorkerSet(1);
        _netlink = InNamespace.Run(_host.Name, () => new RtNetlink());
        _tap = InNamespace.Run(_host.Name, () => TapPort.Open(new PortConfig { Tap = "tap0" }, 1, TapSettings.Few, _netlink, _workers));
        _ = new VethLink(new LinkEnd(_host, "v0"), new LinkEnd(_host, "v1"), mtu: 9000);
        _host.Exec("ethtool", "-K", "v0", "tx", "off", "tso", "off", "gso", "off", "tx-udp-segmentation", "off", "txvlan", "off");
        _host.Exec("tc", "qdisc", "add", "dev", "tap0", "ingress");
        _host.Exec("tc", [.. "filter add dev tap0 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev v0".Split(' ')]);
        _wire = new RawSocket(_host, "v1");
    }

    [OneTimeTearDown]
    public void Disconnect()
    {
        _wire.Dispose();
        _tap.Dispose();
        _netlink.Dispose();
        _workers.Dispose();
        _host.Dispose();
    }

    private static TestCaseData<byte[], int, int> Case(string name, byte[] frame, int gsoSize, int tags = 0) => new(frame, gsoSize, tags) { TestName = name };

    private static IEnumerable<TestCaseData<byte[], int, int>> Cases() =>
    [
        Case("TCPv4", Partial4(Pattern(10_000)), 1398),
        Case("TCPv4_WithoutDF_WrappingIdentificationAndSequence", Partial4(Pattern(10_000), df: false, identification: 0xFFFD, sequence: 0xFFFF_F000), 1398),
        Case("TCPv6", Partial6(Pattern(10_000)), 1378),
        Case("TCPv6_BehindExtensionHeaders", BehindExtensions(Partial6(Pattern(10_000))), 1300),
        Case("TCPv4_SixtyKilobytes", Partial4(Pattern(61_000)), 1398),
        Case("TCPv4_OddSegmentSize", Partial4(Pattern(10_001)), 1397),
        Case("TCPv6_OddSegmentSize", Partial6(Pattern(10_001)), 777),
        Case("TCPv4_SmallSegmentSize", Partial4(Pattern(530)), 8),
        Case("TCPv4_ExactlyTwoSegments", Partial4(Pattern(2000)), 1000),
        Case("TCPv4_LastSegmentOfOneByte", Partial4(Pattern(2001)), 1000),
        Case("TCPv4_Ecn_CwrAndEce", Partial4(Pattern(10_000), tos: 2, flags: TcpFlags.Ack | TcpFlags.Cwr | TcpFlags.Ece), 1398),
        Case("TCPv6_Ecn_Cwr", Partial6(Pattern(10_000), tos: 0xB9, flags: TcpFlags.Ack | TcpFlags.Cwr), 1378),
        Case("TCPv4_FinAndPsh", Partial4(Pattern(10_000), flags: TcpFlags.Ack | TcpFlags.Fin | TcpFlags.Psh), 1398),
        Case("TCPv6_FinPshAndCwr", Partial6(Pattern(10_000), flags: TcpFlags.Ack | TcpFlags.Fin | TcpFlags.Psh | TcpFlags.Cwr), 1378),
        Case("TCPv4_Tagged", Partial4(Pattern(10_000), vlans: [5]), 1398, tags: 1),
        Case("TCPv6_Tagged", Partial6(Pattern(10_001), vlans: [5]), 1377, tags: 1),
        Case("TCPv4_TwoTags", Partial4(Pattern(10_000), vlans: [5, 6]), 1394, tags: 2),
        Case("UDPv4", Udp(payload: Pattern(10_000), checksum: TestChecksum.Partial), 1000),
        Case("UDPv4_OddSegmentSize", Udp(payload: Pattern(10_001), checksum: TestChecksum.Partial, tos: 1), 1001),
        Case("UDPv6", Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(10_000), checksum: TestChecksum.Partial), 1200),
        Case("UDPv4_Tagged", Udp(payload: Pattern(10_000), checksum: TestChecksum.Partial, vlans: [5]), 1000, tags: 1),
    ];

    [TestCaseSource(nameof(Cases))]
    public void TheKernelsSegments_AreOurs(byte[] frame, int gsoSize, int tags)
    {
        bool hasCwr = FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.None
            && headers.Protocol == IpProtocol.Tcp && (frame[headers.TransportOffset + 13] & (byte)TcpFlags.Cwr) != 0;
        OffloadInfo offload = SuperFrames.Describe(frame, gsoSize, hasCwr);
        List<byte[]> ours = SuperFrames.Cut(frame, offload);

        Write(frame, offload);
        IReadOnlyList<byte[]> kernels = _wire.Receive(seen => seen.AsSpan(0, 12).SequenceEqual(frame.AsSpan(0, 12)), ours.Count, seconds: 3);
        IEnumerable<byte[]> expected = tags == 0 ? ours : ours.Select(segment => (byte[])[.. segment[..12], .. segment[16..]]);
        Assert.That(kernels.Select(Convert.ToHexString), Is.EqualTo(expected.Select(Convert.ToHexString)));
    }

    private void Write(byte[] frame, in OffloadInfo offload)
    {
        var batch = new FrameBatch(capacity: 1);
        Assert.That(batch.TryAdd(frame));
        batch[0].Info.Offload = offload;
        _tap.Queue(0).Send(batch[0]);
        Assert.That(_tap.Queue(0).Flush(), Is.EqualTo(1), "the kernel takes the super-frame");
    }

    private static byte[] Partial4(
        byte[] payload, byte tos = 0, TcpFlags flags = TcpFlags.Ack, int[]? vlans = null, bool df = true, int identification = 7, uint sequence = 1000) =>
        Tcp(
            payload: payload, tos: tos, flags: flags, vlans: vlans, df: df, identification: identification, sequence: sequence,
            options: s_timestamps, checksum: TestChecksum.Partial);

    private static byte[] Partial6(byte[] payload, byte tos = 0, TcpFlags flags = TcpFlags.Ack, int[]? vlans = null) =>
        Tcp(
            sourceIp: IPv6A, destinationIp: IPv6B, payload: payload, tos: tos, flags: flags, vlans: vlans,
            options: s_timestamps, checksum: TestChecksum.Partial);

    // hop-by-hop options, then destination options of 16 bytes; the pseudo-header doesn't count them
    private static byte[] BehindExtensions(byte[] frame) =>
        Ip(0, Extension(60, Extension(IpProtocol.Tcp, frame[54..], size: 16)), sourceIp: IPv6A, destinationIp: IPv6B);
}
