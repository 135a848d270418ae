// Records to etcd's keys and values and back: the exact bytes, what is refused and why, and that nothing makes it throw.

using System.Text;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Etcd;

[TestFixture]
public sealed class RecordCodecTests
{
    private const string Mac = "02:00:5e:10:00:01";
    private static readonly RecordCodec s_codec = new(new EtcdLayout("/vtep/v1/lab"));
    private static readonly Vni s_vni = new(100);
    private static readonly MacAddress s_mac = MacAddress.Parse(Mac);

    private static readonly VtepRecord s_vtep = new("h1", new VtepEndpoint(InetAddress.Parse("198.18.0.1"), 4789), default)
    {
        Name = "host-one",
        Mac = s_mac,
        Mtu = 1450,
        Instance = Guid.Parse("6f1c2d3e-0000-4000-8000-000000000001"),
    };

    private static IEnumerable<TestCaseData> Golden()
    {
        yield return new TestCaseData(s_vtep, "/vtep/v1/lab/n/h1/self",
            """{"v":1,"name":"host-one","vtep":[{"ip":"198.18.0.1","port":4789}],"mac":"02:00:5e:10:00:01","mtu":1450,"instance":"6f1c2d3e-0000-4000-8000-000000000001"}""");
        yield return new TestCaseData(new VtepRecord("h1", default, new VtepEndpoint(InetAddress.Parse("fd00::1"), 8472)), "/vtep/v1/lab/n/h1/self",
            """{"v":1,"vtep":[{"ip":"fd00::1","port":8472}]}""");
        yield return new TestCaseData(new FloodRecord("h1", s_vni), "/vtep/v1/lab/n/h1/vni/100", """{"flood":"ingress"}""");
        yield return new TestCaseData(new MacRecord("h1", s_vni, s_mac, 4_294_967_295, true), "/vtep/v1/lab/s/h1/mac/100/02:00:5e:10:00:01",
            """{"seq":4294967295,"sticky":true}""");
        yield return new TestCaseData(new NeighborRecord("h1", s_vni, InetAddress.Parse("10.0.0.1"), s_mac, 3), "/vtep/v1/lab/s/h1/ip/100/10.0.0.1",
            """{"mac":"02:00:5e:10:00:01","seq":3,"router":false}""");
        yield return new TestCaseData(new NeighborRecord("h1", s_vni, InetAddress.Parse("fe80::1"), s_mac, 0, true), "/vtep/v1/lab/s/h1/ip/100/fe80::1",
            """{"mac":"02:00:5e:10:00:01","seq":0,"router":true}""");
        yield return new TestCaseData(new PrefixRecord("h1", new Vni(5000), InetAddress.Parse("10.1.0.0"), 16, s_mac), "/vtep/v1/lab/s/h1/route/5000/10.1.0.0-16",
            """{"rmac":"02:00:5e:10:00:01"}""");
        yield return new TestCaseData(new PrefixRecord("h1", default, InetAddress.Parse("::"), 0, default), "/vtep/v1/lab/s/h1/route/0/::-0", "{}");
    }

    [TestCaseSource(nameof(Golden))]
    public void EachKind_HasTheseBytes_AndIsReadFromThem(DirectoryRecord record, string key, string value)
    {
        Assert.That(Encoding.UTF8.GetString(s_codec.Key(record.Key)), Is.EqualTo(key));
        Assert.That(Encoding.UTF8.GetString(RecordCodec.Value(record)), Is.EqualTo(value));
        Assert.That(s_codec.TryParse(Bytes(key), Bytes(value), out DirectoryRecord? read, out _), Is.True);
        Assert.That(read, Is.EqualTo(record));
        Assert.That(s_codec.KeyOf(Bytes(key)), Is.EqualTo(record.Key));
    }

    [TestCase("/vtep/v1/lab", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/labor/n/h1/self", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/x/h1/self", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/self", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/self/", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/Self", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n//self", RejectReason.OwnerInvalid)]
    [TestCase("/vtep/v1/lab/n/h 1/self", RejectReason.OwnerInvalid)]
    [TestCase("/vtep/v1/lab/n/a1234567890123456789012345678901234567890123456789012345678901234/self", RejectReason.OwnerInvalid)]
    [TestCase("/vtep/v1/lab/n/hé/self", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/0100", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/+100", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/16777216", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/99999999999999999999", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/100/x", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/n/h1/vni/100\0", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/mac/100/02:00:5E:10:00:01", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/mac/100/02-00-5e-10-00-01", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/mac/100/00:00:00:00:00:00", RejectReason.MacInvalid)]
    [TestCase("/vtep/v1/lab/s/h1/mac/100/ff:ff:ff:ff:ff:ff", RejectReason.MacInvalid)]
    [TestCase("/vtep/v1/lab/s/h1/mac/100/02:00:5e:10:00:01/a/b/c/d/e/f", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/10.0.0.01", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/2001:DB8::1", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/2001:db8:0::1", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/::ffff:10.0.0.1", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/fe80::1%eth0", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/0.0.0.0", RejectReason.AddressInvalid)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/127.0.0.1", RejectReason.AddressInvalid)]
    [TestCase("/vtep/v1/lab/s/h1/ip/100/ff02::1", RejectReason.AddressInvalid)]
    [TestCase("/vtep/v1/lab/s/h1/route/1/10.0.0.1-24", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/route/1/10.0.0.0-33", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/route/1/10.0.0.0", RejectReason.KeyUnknown)]
    [TestCase("/vtep/v1/lab/s/h1/route/1/224.0.0.0-4", RejectReason.AddressInvalid)]
    public void AKeyInAnyOtherSpelling_IsRejected_AndStandsForNothing(string key, RejectReason reason)
    {
        Assert.That(s_codec.TryParse(Bytes(key), Bytes("{}"), out DirectoryRecord? record, out RejectedRecord? rejected), Is.False);
        Assert.That((record, rejected!.Reason, rejected.Means, rejected.Name), Is.EqualTo(((DirectoryRecord?)null, reason, (RecordKey?)null, key)));
        Assert.That(rejected.Detail, Does.StartWith("The key isn't one of ours: ").And.EndWith("."));
        Assert.That(s_codec.KeyOf(Bytes(key)), Is.Null);
    }

    private const string SelfKey = "/vtep/v1/lab/n/h1/self";
    private const string MacKey = "/vtep/v1/lab/s/h1/mac/100/" + Mac;
    private const string IpKey = "/vtep/v1/lab/s/h1/ip/100/10.0.0.1";
    private const string RouteKey = "/vtep/v1/lab/s/h1/route/1/10.0.0.0-8";

    [TestCase(MacKey, "", "JSON object")]
    [TestCase(MacKey, "null", "JSON object")]
    [TestCase(MacKey, "[]", "JSON object")]
    [TestCase(MacKey, """{"seq":0,"sticky":false} x""", "JSON object")]
    [TestCase(MacKey, """{"seq":0,"sticky":false}{}""", "JSON object")]
    [TestCase(MacKey, """{"seq":0,"sticky":false,}""", "JSON object")]
    [TestCase(MacKey, """{"seq":0,/**/"sticky":false}""", "JSON object")]
    [TestCase(MacKey, """{"seq":0}""", "no 'sticky'")]
    [TestCase(MacKey, """{"seq":0,"sticky":false,"seq":0}""", "'seq' twice")]
    [TestCase(MacKey, """{"seq":0,"sticky":false,"Seq":0}""", "isn't known here; known are seq, sticky")]
    [TestCase(MacKey, """{"seq":-1,"sticky":false}""", "from 0 to 4294967295")]
    [TestCase(MacKey, """{"seq":4294967296,"sticky":false}""", "from 0 to 4294967295")]
    [TestCase(MacKey, """{"seq":1.0,"sticky":false}""", "whole number")]
    [TestCase(MacKey, """{"seq":1e2,"sticky":false}""", "whole number")]
    [TestCase(MacKey, """{"seq":"1","sticky":false}""", "whole number")]
    [TestCase(MacKey, """{"seq":{"a":{"b":{"c":{"d":1}}}},"sticky":false}""", "whole number")]
    [TestCase(MacKey, """{"seq":0,"sticky":null}""", "true or false")]
    [TestCase(IpKey, """{"mac":"02:00:5E:10:00:01","seq":0,"router":false}""", "lower-case")]
    [TestCase(IpKey, """{"mac":"\ud800","seq":0,"router":false}""", "JSON object")]
    [TestCase(IpKey, """{"mac":2,"seq":0,"router":false}""", "a string")]
    [TestCase(RouteKey, """{"rmac":""}""", "lower-case")]
    [TestCase("/vtep/v1/lab/n/h1/vni/7", """{"flood":"multicast"}""", "ingress")]
    [TestCase("/vtep/v1/lab/n/h1/vni/7", "{}", "no 'flood'")]
    [TestCase(SelfKey, """{"v":1}""", "no 'vtep'")]
    [TestCase(SelfKey, """{"vtep":[{"ip":"198.18.0.1","port":4789}]}""", "no 'v'")]
    [TestCase(SelfKey, """{"v":2,"vtep":[]}""", "its version is 2")]
    [TestCase(SelfKey, """{"v":1,"vtep":[]}""", "no address")]
    [TestCase(SelfKey, """{"v":1,"vtep":{}}""", "array")]
    [TestCase(SelfKey, """{"v":1,"vtep":[[]]}""", "array of objects")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1"}]}""", "no 'port'")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":0}]}""", "from 1 to 65535")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":1},{"ip":"198.18.0.2","port":1}]}""", "two addresses of one family")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.01","port":1}]}""", "RFC 5952")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":1}],"mtu":0}""", "from 68 to 65535")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":1}],"name":""}""", "1 to 253")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":1}],"instance":"00000000-0000-0000-0000-000000000000"}""", "UUID")]
    [TestCase(SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.1","port":1}],"instance":"6F1C2D3E-0000-4000-8000-000000000001"}""", "UUID")]
    public void AValueThatIsntExactlyOurs_IsRejected_AndTheKeySaysWhatItWouldHaveBeen(string key, string value, string why)
    {
        RejectedRecord rejected = Rejected(key, Bytes(value));

        Assert.That(rejected.Reason, Is.EqualTo(RejectReason.ValueMalformed));
        Assert.That(rejected.Detail, Does.StartWith("The value can't be read: ").And.Contain(why).And.EndWith("."));
        Assert.That(rejected.Means, Is.EqualTo(s_codec.KeyOf(Bytes(key))).And.Not.Null);
    }

    [Test]
    public void MacsAndAddressesInValues_MustBeOnesAHostCanHave()
    {
        Assert.That(Rejected(IpKey, Bytes("""{"mac":"01:00:5e:00:00:01","seq":0,"router":false}""")).Reason, Is.EqualTo(RejectReason.MacInvalid));
        Assert.That(Rejected(SelfKey, Bytes("""{"v":1,"vtep":[{"ip":"127.0.0.1","port":4789}]}""")).Reason, Is.EqualTo(RejectReason.AddressInvalid));
        Assert.That(Rejected(SelfKey, Bytes("""{"v":1,"vtep":[{"ip":"239.1.1.1","port":4789}]}""")).Reason, Is.EqualTo(RejectReason.AddressInvalid));
    }

    [Test]
    public void WhatIsTooLongOrNoText_IsRejected_AndItsNameIsCut()
    {
        Assert.That(Rejected(MacKey, Bytes("""{"seq":0,"sticky":false}""".PadRight(4096))), Is.Null);
        Assert.That(Rejected(MacKey, Bytes("""{"seq":0,"sticky":false}""".PadRight(4097))).Reason, Is.EqualTo(RejectReason.ValueTooLarge));
        Assert.That(Rejected(MacKey, [0x7B, 0xFF, 0x7D]).Detail, Is.EqualTo("The value can't be read: it isn't UTF-8."));
        Assert.That(Rejected("/vtep/v1/lab/n/" + new string('x', 1_000_000), []).Name, Has.Length.EqualTo(259));
    }

    [Test]
    public void AnyRecord_ComesBackAsItWas()
    {
        s_record.Sample(record =>
        {
            Assert.That(s_codec.TryParse(s_codec.Key(record.Key), RecordCodec.Value(record), out DirectoryRecord? read, out RejectedRecord? rejected), Is.True,
                () => $"{record}: {rejected?.Detail}");
            Assert.That(read, Is.EqualTo(record));
        });
    }

    [Test]
    public void WhateverBytesStandInAStore_ReadingThemNeverThrows()
    {
        Gen.Select(s_record, Gen.Int, Gen.Byte.Array[0, 8], Gen.Bool).Sample((record, at, junk, isKey) =>
        {
            byte[] key = s_codec.Key(record.Key);
            byte[] value = RecordCodec.Value(record);
            byte[] touched = isKey ? key : value;
            int start = (int)((uint)at % (uint)touched.Length);
            int end = Math.Min(touched.Length, start + (at & 3));
            byte[] mutated = [.. touched[..start], .. junk, .. touched[end..]];

            bool ok = s_codec.TryParse(isKey ? mutated : key, isKey ? value : mutated, out DirectoryRecord? read, out RejectedRecord? rejected);

            Assert.That(ok, Is.EqualTo(read is not null).And.EqualTo(rejected is null));
            if (ok && isKey)
                Assert.That(s_codec.Key(read!.Key), Is.EqualTo(mutated), "one key for each record");
        }, iter: 20_000);
    }

    [Test]
    public void AHundredThousandStations_TakeWellUnderASecond_AndHoldEachOwnerOnce()
    {
        var stations = new (byte[] Key, byte[] Value)[100_000];
        for (int i = 0; i < stations.Length; i++)
        {
            var record = new MacRecord($"node-{i % 4096}", s_vni, new MacAddress(0x0200_0000_0000 + (ulong)i));
            stations[i] = (s_codec.Key(record.Key), RecordCodec.Value(record));
        }

        TimeSpan best = TimeSpan.MaxValue; // of three: the machine has other work, too
        for (int attempt = 0; attempt < 3 && best >= TimeSpan.FromSeconds(1); attempt++)
        {
            long start = TimeProvider.System.GetTimestamp();
            Assert.That(Owners(stations), Has.Count.EqualTo(4096));
            best = TimeProvider.System.GetElapsedTime(start);
        }

        Assert.That(best, Is.LessThan(TimeSpan.FromSeconds(1)));
    }

    private static HashSet<string> Owners((byte[] Key, byte[] Value)[] stations)
    {
        var owners = new HashSet<string>(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);
        foreach ((byte[] key, byte[] value) in stations)
        {
            if (s_codec.TryParse(key, value, out DirectoryRecord? record, out _))
                owners.Add(record.Owner);
        }

        return owners;
    }

    private static RejectedRecord Rejected(string key, byte[] value)
    {
        s_codec.TryParse(Bytes(key), value, out _, out RejectedRecord? rejected);
        return rejected!;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static readonly Gen<string> s_owner = Gen.String["abcXYZ019.-_"].Where(text => text.Length is > 0 and <= 64);
    private static readonly Gen<Vni> s_vnis = Gen.Int[0, Vni.MaxValue].Select(value => new Vni(value));
    private static readonly Gen<MacAddress> s_macs = Gen.ULong.Select(value => new MacAddress(value)).Where(mac => mac.IsValidSource);

    private static readonly Gen<InetAddress> s_addresses = Gen.OneOf(
        Gen.UInt.Select(InetAddress.FromIPv4),
        Gen.Select(Gen.OneOf(Gen.ULong, Gen.Const(0xFE80_0000_0000_0000UL)), Gen.OneOf(Gen.ULong, Gen.ULong[0, 65_536])).Select((high, low) => InetAddress.FromIPv6(high, low)))
        .Where(address => address.IsUnicast && !address.IsLoopback);

    private static readonly Gen<DirectoryRecord> s_record = Gen.OneOf(
        Gen.Select(s_owner, s_addresses, Gen.UShort[1, 65_535], Gen.String[0, 40], Gen.Int[68, 65_535], Gen.Guid).Select(MakeVtep),
        Gen.Select(s_owner, s_vnis).Select((owner, vni) => (DirectoryRecord)new FloodRecord(owner, vni)),
        Gen.Select(s_owner, s_vnis, s_macs, Gen.UInt, Gen.Bool).Select((owner, vni, mac, seq, sticky) => (DirectoryRecord)new MacRecord(owner, vni, mac, seq, sticky)),
        Gen.Select(s_owner, s_vnis, s_addresses, s_macs, Gen.UInt, Gen.Bool)
            .Select((owner, vni, ip, mac, seq, router) => (DirectoryRecord)new NeighborRecord(owner, vni, ip, mac, seq, router)),
        Gen.Select(s_owner, s_vnis, s_addresses, Gen.Byte, s_macs).Select(MakePrefix));

    private static DirectoryRecord MakeVtep(string owner, InetAddress address, ushort port, string name, int mtu, Guid instance)
    {
        string clean = string.Concat(name.Where(c => !char.IsSurrogate(c)));
        var endpoint = new VtepEndpoint(address, port);
        return new VtepRecord(owner, address.IsIPv4 ? endpoint : default, address.IsIPv6 ? endpoint : default)
        {
            Name = clean.Length == 0 ? null : clean,
            Mtu = mtu,
            Instance = instance,
        };
    }

    private static DirectoryRecord MakePrefix(string owner, Vni vrf, InetAddress address, byte length, MacAddress router)
    {
        InetPrefix prefix = InetPrefix.Of(address, (byte)(length % (address.Size * 8 + 1)));
        bool isRouted = !prefix.Network.IsLoopback && !prefix.Network.IsMulticast;
        return new PrefixRecord(owner, vrf, isRouted ? prefix.Network : InetAddress.FromIPv4(0), isRouted ? prefix.Length : (byte)0, router);
    }
}
