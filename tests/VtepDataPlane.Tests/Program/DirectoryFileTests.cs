// The text of directory files: the records of a good one, and every mistake of a bad one with its place.

using System.Text;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Daemon.Controllers;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class DirectoryFileTests
{
    private const string Good = """
        {
          "version": 1, "generation": 7, // comments are allowed
          "nodes": [
            { "node": "h2", "name": "rack 2", "vtep": "198.18.0.2", "vnis": [ 100, 200 ],
              "stations": [
                { "vni": 100, "mac": "02:00:5e:10:00:02", "ips": [ "198.19.0.2", "fd00:19::2" ], "seq": 3, "router": true },
                { "vni": 100, "mac": "02:00:5e:10:00:09", "sticky": true } ],
              "prefixes": [ { "vrf": 5000, "prefix": "198.19.8.0/24", "rmac": "02:00:5e:10:00:03" }, { "vrf": 5000, "prefix": "::/0" } ] },
            { "node": "h3", "vteps": [ "198.18.0.3:8472", "fd00::3" ] },
          ],
        }
        """;

    private static readonly Vni s_vni = new(100);
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:02");

    [Test]
    public void GoodFile_GivesItsRecords()
    {
        DirectoryFileContent content = Parse(Good);

        Assert.That(content.Problems, Is.Empty);
        Assert.That(content.Generation, Is.EqualTo(7));
        Assert.That(content.Records, Is.EqualTo(new DirectoryRecord[]
        {
            new VtepRecord("h2", Endpoint("198.18.0.2", 4789), default) { Name = "rack 2" },
            new FloodRecord("h2", s_vni),
            new FloodRecord("h2", new Vni(200)),
            new MacRecord("h2", s_vni, s_mac, 3),
            new NeighborRecord("h2", s_vni, InetAddress.Parse("198.19.0.2"), s_mac, 3, true),
            new NeighborRecord("h2", s_vni, InetAddress.Parse("fd00:19::2"), s_mac, 3, true),
            new MacRecord("h2", s_vni, MacAddress.Parse("02:00:5e:10:00:09"), 0, true),
            new PrefixRecord("h2", new Vni(5000), InetAddress.Parse("198.19.8.0"), 24, MacAddress.Parse("02:00:5e:10:00:03")),
            new PrefixRecord("h2", new Vni(5000), InetAddress.Parse("::"), 0, MacAddress.Zero),
            new VtepRecord("h3", Endpoint("198.18.0.3", 8472), Endpoint("fd00::3", 4789)),
        }));
    }

    [TestCase("", "1:1: the file is empty; write at least { \"version\": 1, \"nodes\": [] }")]
    [TestCase("{", "1:2: this is no JSON: Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that should be closed")]
    [TestCase("{}", "1:1: $: the key \"version\" is missing; add \"version\": 1", "1:1: $: the key \"nodes\" is missing; add \"nodes\": [ ... ]")]
    [TestCase("{ \"version\": 2, \"nodes\": {} }", "1:14: $.version: 2 is out of range; it must be 1 to 1",
        "1:26: $.nodes: must be a list, not an object; write [ { \"node\": ... } ]")]
    public void BrokenFile_IsReported_WithPlaceAndRemedy(string json, params string[] expected) => Complains(json, expected);

    [TestCase("""{ "node": "h2", "vtep": "198.18.0.2", "vni": [] }""", "2:39: $.nodes[0].vni: unknown key 'vni'; did you mean \"vnis\"?")]
    [TestCase("""{ "node": "h2" }""", "2:1: $.nodes[0]: exactly one of \"vtep\" and \"vteps\" must be there; say where the node's VTEP is")]
    [TestCase("""{ "node": "h 2", "vtep": "127.0.0.1" }""",
        "2:11: $.nodes[0].node: 'h 2' is no node id; use 1 to 64 letters, digits, dots, hyphens and underscores, like h1",
        "2:26: $.nodes[0].vtep: 127.0.0.1 is not a host's address; give a unicast address, like 198.18.0.2")]
    [TestCase("""{ "node": "h2", "vteps": [ "198.18.0.2", "198.18.0.3" ] }""",
        "2:42: $.nodes[0].vteps[1]: 198.18.0.3:4789 is a second one of IPv4; give one for each address family")]
    [TestCase("""{ "node": "h2", "name": "a\u001bb", "vtep": "198.18.0.2" }""",
        "2:25: $.nodes[0].name: 'a\\u001bb' is no name; use at most 128 characters that can be printed")]
    [TestCase("""{ "node": "h2", "vtep": "198.18.0.2", "vnis": [ 100, 100 ] }""", "2:54: $.nodes[0].vnis[1]: the node has this one already; remove one of the two")]
    [TestCase("""{ "node": "h2", "vtep": "198.18.0.2" }, { "node": "h2", "vtep": "198.18.0.3" }""", "2:41: $.nodes[1]: the node 'h2' is there twice; keep one")]
    public void BrokenNode_IsReported_WithPlaceAndRemedy(string node, params string[] expected) =>
        Complains($$"""
            { "version": 1, "nodes": [
            {{node}} ] }
            """, expected);

    [TestCase("""{ "mac": "02:00:5e:10:00:02" }""", "2:1: $.nodes[0].stations[0]: the key \"vni\" is missing; add \"vni\": 100")]
    [TestCase("""{ "vni": 100 }""", "2:1: $.nodes[0].stations[0]: the key \"mac\" is missing; add \"mac\": \"02:00:5e:10:00:01\"")]
    [TestCase("""{ "vni": 100, "mac": "01:00:5e:00:00:01", "seq": -1 }""",
        "2:22: $.nodes[0].stations[0].mac: 01:00:5e:00:00:01 is no station's address; use a unicast one, like 02:00:5e:10:00:01",
        "2:50: $.nodes[0].stations[0].seq: -1 is out of range; it must be 0 to 2147483647")]
    [TestCase("""{ "vni": 100, "mac": "x", "ips": [ "239.1.1.1", "y" ] }""",
        "2:22: $.nodes[0].stations[0].mac: 'x' is no MAC address; write six hex pairs, like 02:00:5e:10:00:01",
        "2:36: $.nodes[0].stations[0].ips[0]: 239.1.1.1 is not a host's address; give a unicast address, like 198.19.0.2",
        "2:49: $.nodes[0].stations[0].ips[1]: 'y' is no IPv4 or IPv6 address; write it like 198.19.0.2")]
    [TestCase("""{ "vni": 1, "mac": "02:00:5e:10:00:02" }, { "vni": 1, "mac": "02:00:5E:10:00:02" }""",
        "2:62: $.nodes[0].stations[1].mac: the node has this one already; remove one of the two")]
    public void BrokenStation_IsReported_WithPlaceAndRemedy(string station, params string[] expected) =>
        Complains($$"""
            { "version": 1, "nodes": [ { "node": "h2", "vtep": "198.18.0.2", "stations": [
            {{station}} ] } ] }
            """, expected);

    [Test]
    public void PrefixWithHostBits_IsReported() =>
        Complains("""{ "version": 1, "nodes": [ { "node": "h2", "vtep": "198.18.0.2", "prefixes": [ { "vrf": 1, "prefix": "198.19.8.1/24" } ] } ] }""",
            ["1:102: $.nodes[0].prefixes[0].prefix: '198.19.8.1/24' is no prefix; write it like 198.19.8.0/24, with no bit set behind its length"]);

    [Test]
    public void Sample_IsValid()
    {
        DirectoryFileContent content = DirectoryFile.Parse("f", File.ReadAllBytes(Repository.File("samples/directory.json")), 4789);

        Assert.That(content.Problems, Is.Empty);
        Assert.That(content.Records.Select(record => record.Key.Kind).Distinct(), Is.EquivalentTo(Enum.GetValues<RecordKind>()));
    }

    [Test]
    public void RandomMutation_NeverThrows_AndNeverGivesHalfOfIt()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Good);
        Gen<(int At, byte Value)[]> changes = Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[1, 4];

        changes.Sample(mutations =>
        {
            byte[] mutated = [.. whole];
            foreach ((int at, byte value) in mutations)
                mutated[at] = value;
            DirectoryFileContent content = DirectoryFile.Parse("f", mutated, 4789);
            Assert.That(content.Problems.Count == 0 || content.Records.Count == 0);
            Assert.That(content.Problems.All(problem => problem.Line > 0 && problem.Column > 0 && problem.Message.Length > 0));
        }, iter: 3_000);
    }

    private static void Complains(string json, string[] expected)
    {
        DirectoryFileContent content = Parse(json);

        Assert.That(content.Records, Is.Empty);
        Assert.That(content.Problems.Select(problem => problem.ToString()), Is.EqualTo(expected.Select(line => $"f:{line}")));
    }

    private static DirectoryFileContent Parse(string json) => DirectoryFile.Parse("f", Encoding.UTF8.GetBytes(json), 4789);

    private static VtepEndpoint Endpoint(string address, ushort port) => new(InetAddress.Parse(address), port);
}
