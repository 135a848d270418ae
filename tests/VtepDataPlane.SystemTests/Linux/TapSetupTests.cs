// TAP devices made beforehand for a user, judged by ip(8); and a daemon without any right on them.

using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;

namespace VtepDataPlane.SystemTests.Linux;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class TapSetupTests
{
    private const uint Owner = 65534;

    private static readonly string[] s_underlay =
    [
        "link add eth0 mtu 9000 type veth peer name eth1", "address add 198.18.0.1/24 dev eth0", "link set eth0 up", "link set eth1 up",
        "route add 198.18.9.0/24 via 198.18.0.9 mtu 1400", "link add br0 type bridge",
    ];

    private NetlinkNamespace _host = null!;

    [SetUp]
    public void MakeNamespace() => _host = new NetlinkNamespace(s_underlay);

    [TearDown]
    public void DeleteNamespace() => _host.Dispose();

    [Test]
    public void ADeviceThatIsMissing_IsMadeForTheUser_WithEverythingTheConfigurationSays()
    {
        string blue = """{ "tap": "tap0", "mac": "02:00:00:00:00:07", "bridge": "br0", "mtu": 1300, "addresses": [ "198.19.0.1/24", "fd00:19::1/64" ] }""";

        Assert.That(Make(Domain(blue, Static("198.18.0.2"))), Is.EqualTo(["tap0: made for nobody; MTU 1300"]));

        string shown = _host.Ip("-d link show dev tap0");
        Assert.That(shown, Does.Contain("type tap").And.Contain("multi_queue").And.Contain("persist on").And.Match("user (nobody|65534)"));
        Assert.That(shown, Does.Contain("mtu 1300").And.Contain("02:00:00:00:00:07").And.Contain("master br0").And.Contain("UP").And.Contain("qdisc noqueue"));
        Assert.That(_host.Ip("address show dev tap0"), Does.Contain("198.19.0.1/24").And.Contain("fd00:19::1/64"));
    }

    [TestCase("198.18.0.2", 8950, null)]
    [TestCase("198.18.9.2", 1350, null)]
    [TestCase("198.51.100.1", 1450, "there is no route to any peer yet that it could follow: run it again when there is")]
    public void WithoutAnMtu_ItFollowsTheRouteToThePeers_OrSaysThatThereIsNone(string peer, int mtu, string? note)
    {
        string said = Make(Domain("""{ "tap": "tap0" }""", Static(peer))).Single();

        Assert.That(said, Is.EqualTo($"tap0: made for nobody; MTU {mtu}{(note is null ? "" : $", {note}")}"));
        Assert.That(_host.Link("tap0").Mtu, Is.EqualTo(mtu));
    }

    [Test]
    public void WithoutAnMtu_ItFollowsTheGroupsInterface_AndForAControllerTheLinkWithOurAddress()
    {
        string group = """{ "multicast": { "group": "239.1.1.1", "interface": "eth1" } }""";
        _host.Ip("link set eth1 mtu 2000");

        Assert.That(Make(Domain("""{ "tap": "tap0" }""", group)), Is.EqualTo(["tap0: made for nobody; MTU 1950"]));
        Assert.That(Make(Domain("""{ "tap": "tap1" }""", """{ "controller": { "name": "main" } }""")),
            Is.EqualTo(["tap1: made for nobody; MTU 8950, that of 'eth0', since the controller's VTEPs aren't known yet"]));
    }

    [Test]
    public void RunAgain_ItLeavesAloneWhatIsRight_AndChangesWhatDiffers()
    {
        string blue = Domain("""{ "tap": "tap0", "mac": "02:00:00:00:00:07", "bridge": "br0", "addresses": [ "198.19.0.1/24" ] }""", Static("198.18.0.2"));
        Make(blue);
        int index = _host.Link("tap0").Index;

        Assert.That(Make(blue), Is.EqualTo(["tap0: right already; MTU 8950"]));
        _host.IpBatch(["link set tap0 mtu 1280 nomaster down address 02:00:00:00:00:08", "address add 198.19.7.7/24 dev tap0", "address del 198.19.0.1/24 dev tap0"]);
        Assert.That(Make(blue), Is.EqualTo(
            ["tap0: changed: MAC 02:00:00:00:00:08 to 02:00:00:00:00:07, MTU 1280 to 8950, attached to br0, address 198.19.0.1/24, up; MTU 8950"]));
        Assert.That(Make(blue), Is.EqualTo(["tap0: right already; MTU 8950"]));
        Assert.That(_host.Link("tap0").Index, Is.EqualTo(index), "the same device");
        Assert.That(_host.Ip("address show dev tap0"), Does.Contain("198.19.7.7/24"), "somebody else's address");
    }

    [TestCase("link add tap0 type dummy_or_bridge", "is an interface of kind 'bridge', not a TAP device. Choose another name, or remove that interface.")]
    [TestCase("tuntap add dev tap0 mode tun multi_queue user 65534", "is an interface of kind 'tun', not a TAP device. Choose another name, or remove that interface.")]
    [TestCase("tuntap add dev tap0 mode tap multi_queue", "the TAP device belongs to no user, not to nobody (user id 65534). " + Remedy)]
    [TestCase("tuntap add dev tap0 mode tap multi_queue user 1", "the TAP device belongs to user id 1, not to nobody (user id 65534). " + Remedy)]
    [TestCase("tuntap add dev tap0 mode tap user 65534", "the TAP device has a single queue, so one worker alone would serve it. " + Remedy)]
    public void ADeviceThatIsWrong_IsAnErrorWithARemedy_AndTheOthersAreMade(string command, string complaint)
    {
        _host.Ip(command.Replace("dummy_or_bridge", "bridge", StringComparison.Ordinal));
        string before = _host.Ip("-d link show dev tap0");

        List<TapOutcome> outcomes = Run(setup => setup.Make(Parse(Domain("""{ "tap": "tap0" }, { "tap": "tap1" }""", Static("198.18.0.2")))));

        Assert.That(outcomes[0].IsError && outcomes[0].Sentence.EndsWith(complaint, StringComparison.Ordinal), outcomes[0].Sentence);
        Assert.That(outcomes[1], Is.EqualTo(new TapOutcome("tap1: made for nobody; MTU 8950", IsError: false)));
        Assert.That(_host.Ip("-d link show dev tap0"), Is.EqualTo(before));
    }

    [Test]
    public void ABridgeThatIsMissing_LeavesNoDeviceBehind()
    {
        TapOutcome outcome = Run(setup => setup.Make(Parse(Domain("""{ "tap": "tap0", "bridge": "br7" }""", Static("198.18.0.2"))))).Single();

        Assert.That(outcome, Is.EqualTo(new TapOutcome(
            "Port 'tap0': there is no bridge 'br7' to attach it to. Make it ('ip link add br7 type bridge'), or remove \"bridge\".", IsError: true)));
        Assert.That(_host.Netlink.GetLink("tap0"), Is.Null);
    }

    [Test]
    public void Remove_TakesTheUsersDevices_AndNoOthers()
    {
        Make(Domain("""{ "tap": "tap0" }, { "tap": "tap1" }, { "tap": "tap2" }""", Static("198.18.0.2")));
        _host.Ip("tuntap add dev tap9 mode tap user 1");

        Assert.That(Sentences(Run(setup => setup.Remove(["tap0", "tap8", "tap9", "eth0"]))), Is.EqualTo(
            ["tap0: removed", "tap8: isn't there", "tap9: left alone: it is no TAP device of nobody", "eth0: left alone: it is no TAP device of nobody"]));
        Assert.That(Sentences(Run(setup => setup.Remove(null))), Is.EqualTo(["tap1: removed", "tap2: removed"]));
        Assert.That(_host.Netlink.GetLinks().Select(link => link.Name), Does.Contain("tap9").And.Contain("eth0").And.Not.Contain("tap1"));
    }

    private const string Remedy = "Let go of it and delete it ('ip link del tap0'); this command then makes it anew.";

    private static string Static(string peer) => $$"""{ "static": { "peers": [ "{{peer}}" ] } }""";

    private static string Domain(string ports, string discovery) =>
        $$"""
        { "underlay": { "local": "198.18.0.1" }, "controllers": { "main": { "file": { "path": "/etc/vtep/directory.json" } } },
          "bridgeDomains": [ { "name": "blue", "vni": 1, "ports": [ {{ports}} ], "discovery": {{discovery}} } ] }
        """;

    private static VtepConfig Parse(string text)
    {
        string path = Path.Combine(Path.GetTempPath(), $"vtep-setup-{Environment.ProcessId}-{Guid.NewGuid():N}.jsonc");
        File.WriteAllText(path, text);
        ConfigResult result = ConfigFile.Load(path);
        File.Delete(path);
        return result.Config?.Vtep ?? throw new AssertionException(string.Join('\n', result.Problems));
    }

    private static IEnumerable<string> Sentences(IEnumerable<TapOutcome> outcomes) => outcomes.Select(outcome => outcome.Sentence);

    private List<string> Make(string text)
    {
        List<TapOutcome> outcomes = Run(setup => setup.Make(Parse(text)));
        Assert.That(outcomes.Where(outcome => outcome.IsError), Is.Empty);
        return [.. Sentences(outcomes)];
    }

    private List<TapOutcome> Run(Func<TapSetup, IEnumerable<TapOutcome>> act) => InNamespace.Run(_host.Name, () =>
    {
        using var setup = new TapSetup(Owner, "nobody");
        return act(setup).ToList();
    });
}
