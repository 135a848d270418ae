// The program's own rules (control socket, controllers' files, other VTEPs, the daemon's counters), and how findings are written.

using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Inspection;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Etcd;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Inspection;
using VtepDataPlane.Tests.Program;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Inspection;

[TestFixture]
public sealed class DoctorTests
{
    private static readonly VtepEndpoint s_peer = new(InetAddress.Parse("198.18.0.2"), 4789);

    private static PeerState Tried => new(s_peer, 1500) { IsTried = true, Answers = true, Carries = 1500 };

    [Test]
    public void Peers_AreSaidToBeReachedDeafSilentOrBehindABlackHole()
    {
        Assert.That(Peer(Tried), Is.EqualTo("Ok: 198.18.0.2 answers packets of 1500 bytes, and UDP port 4789 isn't closed"));
        Assert.That(Peer(Tried with { IdleSeconds = 3 }), Does.EndWith("isn't closed; last heard 3 s ago"));
        Assert.That(Peer(Tried with { Answers = null, Carries = null }), Is.EqualTo("Ok: nothing says that nobody listens on 198.18.0.2:4789"));
        Assert.That(Peer(Tried with { IsDeaf = true }),
            Is.EqualTo("Error: nobody listens on UDP port 4789 of 198.18.0.2; start its vtep, or correct the peer's address and port here"));
        Assert.That(Peer(Tried with { Carries = 1400 }), Is.EqualTo("Error: 198.18.0.2 answers packets of 1400 bytes and none larger, though the route there says 1500: "
            + "larger frames vanish on the way; find what drops them and their ICMP messages, or tell the route: 'ip route change ... mtu 1400'"));
        Assert.That(Peer(Tried with { Answers = false, Carries = null }),
            Is.EqualTo("Error: 198.18.0.2 doesn't answer ping; look whether it is up, and for a firewall on the way; VTEPs need ICMP for path MTUs"));
        Assert.That(Peer(Tried with { Answers = false, Carries = null, IdleSeconds = 3 }),
            Is.EqualTo("Warning: 198.18.0.2 was heard 3 s ago but doesn't answer ping, so what its path carries wasn't tried; let ICMP pass"));
    }

    [Test]
    public void PeersThatWereNotTried_AreCounted_AndMissingRightsSaidOnce()
    {
        Assert.That(PeerRules.Judge([Tried, new PeerState(s_peer, 1500)], 2).Select(finding => $"{finding}"),
            Has.Member("1 of 2 VTEPs were tried: no more than 256, and for two seconds; run it again"));
        PeerState mute = Tried with { Answers = null, Carries = null };
        Assert.That(PeerRules.Judge([mute, mute], 2).Count(finding => finding.Severity == FindingSeverity.Warning), Is.EqualTo(1));
        Assert.That(PeerRules.Judge([], 0).Select(finding => $"{finding}"), Is.EqualTo(new[] { "no VTEP is known that could be tried" }));
    }

    [Test]
    public void SampleOfManyPeers_IsBoundedAndSpread()
    {
        PeerState[] many = [.. Enumerable.Range(0, 1000).Select(i => new PeerState(new VtepEndpoint(InetAddress.FromIPv4((uint)i), 4789), 1500))];

        IReadOnlyList<PeerState> sample = PeerProbe.Sample(many);

        Assert.That(sample, Has.Count.EqualTo(256).And.Unique);
        Assert.That(sample[^1].Peer.Address.Low, Is.GreaterThan(900));
        Assert.That(PeerProbe.Sample(many[..5]), Is.EqualTo(many[..5]));
    }

    [Test]
    public void ControlSocket_MustBeMakeable_AndNobodyElses()
    {
        Assert.That(Socket("/run/vtep/s", DaemonPresence.Absent, mayWrite: true), Is.Empty);
        Assert.That(Socket("/run/no-such-folder/s", DaemonPresence.Absent, mayWrite: false), Is.EqualTo(new[]
        {
            "Error $.control.socket: the control socket /run/no-such-folder/s can't be made: this user may not write into /run; give control.socket a path this user may write to",
        }));
        Assert.That(Socket("/run/vtep/s", DaemonPresence.Present, mayWrite: true), Is.EqualTo(new[]
        {
            "Error $.control.socket: another vtep is listening on /run/vtep/s; stop it, or give control.socket another path",
        }));
        Assert.That(Socket("/run/vtep/s", DaemonPresence.Denied, mayWrite: false), Is.EqualTo(new[]
        {
            "Warning $.control.socket: somebody is listening on /run/vtep/s whom this user may not ask; use root, or a member of group vtep",
        }));
        Assert.That(Socket("/usr", DaemonPresence.Absent, mayWrite: true), Is.EqualTo(new[] { "Error $.control.socket: /usr is a directory; give control.socket the path of a file" }));
    }

    [Test]
    public void FilesOfControllers_MustBeThere_AndPasswordsBeTheirOwners()
    {
        using var folder = new TemporaryFolder();
        string password = folder.File("password");
        File.WriteAllText(password, "secret");
        File.SetUnixFileMode(password, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var options = new EtcdOptions
        {
            Endpoints = [new Uri("https://198.18.0.9:2379")],
            Prefix = "/p",
            Node = "h1",
            PasswordFile = password,
            CaFile = folder.File("no-ca"),
            KeyFile = "/usr",
        };
        ControllerSource[] sources =
        [
            new EtcdSource(new ControllerConfig { Name = "main", Node = "h1" }, options), new FileSource(new ControllerConfig { Name = "file", Node = "h1" }, folder.File("none")),
        ];

        Assert.That(ControllerFileRules.Judge(sources, mayRead: true).Select(finding => $"{finding.Severity} {finding.Path}: {finding}"), Is.EqualTo(new[]
        {
            $"Warning $.controllers.main.etcd.passwordFile: others can read the password file {password} (mode 404), so it is refused; make it its owner's: chmod 600, and change the password",
            $"Warning $.controllers.main.etcd.tls.ca: there is no file {folder.File("no-ca")}; put it there, or correct the path",
            "Warning $.controllers.main.etcd.tls.key: /usr is a directory; give the path of a file",
            $"Warning $.controllers.file.file.path: there is no file {folder.File("none")}; put it there, or correct the path",
        }));
    }

    [Test]
    public void DaemonThatIsGone_IsAWarning()
    {
        var gone = new DaemonView("/s", DaemonPresence.Absent, "No vtep is listening on /s: there is no such socket.");

        Assert.That(DaemonRules.Judge(gone).Select(finding => $"{finding.Severity}: {finding}"), Is.EqualTo(new[] { "Warning: No vtep is listening on /s: there is no such socket" }));
    }

    [Test]
    public void FindingsOfTheHost_GetLineAndColumnOfTheirElement()
    {
        ConfigResult result = ConfigFile.Parse("vtep.jsonc", """
            { "underlay": { "local": "198.18.0.1",
                            "port": 4789 }, "bridgeDomains": [] }
            """u8.ToArray());
        HostFinding[] findings =
        [
            HostFinding.Ok("clock", "fine"), new("clock", FindingSeverity.Warning, null, null, "for the doctor", null),
            new("port", FindingSeverity.Error, null, "$.underlay.port", "taken by \u001b[31m", "stop it"), new("local", FindingSeverity.Warning, null, "$.underlay.local", "odd", null),
        ];

        Assert.That(HostCheck.InOrder(result, findings).Select(problem => problem.ToString()), Is.EqualTo(new[]
        {
            "vtep.jsonc:1:26: warning: $.underlay.local: odd",
            @"vtep.jsonc:2:25: $.underlay.port: taken by \u001b[31m; stop it",
        }));
    }

    [Test]
    public void Lines_AreAligned_NameTheObjectOnce_AndEscapeWhatComesFromOutside()
    {
        HostFinding[] findings =
        [
            HostFinding.Ok("clock", "fine"), new("mtu", FindingSeverity.Warning, "tap-blue", null, "the MTU is 1500", "write 1450"),
            new("port", FindingSeverity.Error, "x\u001b", null, "x\u001b is bad", null),
            .. Enumerable.Range(0, 9).Select(i => new HostFinding("peer", FindingSeverity.Error, null, null, $"p{i}", null)),
        ];

        string[] lines = Written(findings, Terminal.Plain);

        Assert.That(lines[..3], Is.EqualTo(new[] { "ok    clock  fine", "warn  mtu    tap-blue: the MTU is 1500; write 1450", @"FAIL  port   x\u001b is bad" }));
        Assert.That(lines[^1], Is.EqualTo("FAIL  peer   and 1 more like these (--json has all)"));
    }

    [Test]
    public void LinesOnANarrowTerminal_AreFoldedBetweenWords_AndColouredOnlyWhereThatIsWanted()
    {
        HostFinding[] findings = [new("mtu", FindingSeverity.Error, null, null, "one two three four five six seven eight nine ten", null)];

        string[] plain = Written(findings, new Terminal(false, 40));

        Assert.That(plain, Has.Length.EqualTo(2).And.All.Length.LessThanOrEqualTo(40).And.None.Contains("\u001b"));
        Assert.That(Written(findings, new Terminal(true, 40))[0], Does.StartWith("\u001b[1;31mFAIL\u001b[0m  mtu  one two"));
    }

    [Test]
    public void Json_IsAnArrayOfObjects()
    {
        using var output = new StringWriter();

        DoctorReport.WriteJson([new("mtu", FindingSeverity.Error, "tap-blue", "$.x", "wrong", "right")], output);

        Assert.That(output.ToString().Trim(),
            Is.EqualTo("""[{"id":"mtu","severity":"error","subject":"tap-blue","path":"$.x","message":"wrong","remedy":"right"}]"""));
    }

    [TestCase("--socket /", "--socket: '/' is no absolute path of a file; write it like /run/vtep/vtep.sock.\n")]
    [TestCase("--yaml", "--yaml isn't an option of vtep doctor; its options are --config, --socket, --json, --help.\nTry vtep doctor --help.\n")]
    public async Task WrongCommandLine_IsExitCodeTwo(string options, string sentences)
    {
        Assert.That(await RunAsync(["doctor", .. options.Split(' ')]), Is.EqualTo((2, "", sentences)));
    }

    [Test]
    public async Task DoctorWithABrokenFile_SaysSo_AndStillLooksAtTheMachine()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("bad"), "{ \"workers\": -1, \"underlay\": { \"local\": \"198.18.0.1\" }, \"bridgeDomains\": [] }");

        (int exitCode, string output, string errors) = await RunAsync(["doctor", "--config", folder.File("bad"), "--socket", folder.File("none")]);

        Assert.That((exitCode, errors), Is.EqualTo((1, "")));
        Assert.That(output, Does.Match(@"(?m)^FAIL  config    .*/bad:1:14: \$\.workers: -1 is out of range; it must be 0 to 256$"));
        Assert.That(output, Does.Match(@"(?m)^\w+ +module ").And.Match(@"(?m)^\w+ +clock ").And.Match(@"(?m)^warn  daemon +No vtep is listening on "));
    }

    private static string Peer(PeerState peer) => PeerRules.Judge([peer], 1).Where(finding => finding.Subject is not null || finding.Severity == FindingSeverity.Ok)
        .Select(finding => $"{finding.Severity}: {finding}").Single();

    private static IEnumerable<string> Socket(string path, DaemonPresence daemon, bool mayWrite) =>
        SocketRules.Judge(path, daemon, _ => mayWrite).Select(finding => $"{finding.Severity} {finding.Path}: {finding}");

    private static string[] Written(IReadOnlyList<HostFinding> findings, Terminal terminal)
    {
        using var output = new StringWriter();
        DoctorReport.Write(findings, output, terminal);
        return output.ToString().TrimEnd('\n').Split('\n');
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await CommandTree.InvokeAsync(arguments, output, errors, (_, _) => throw new VtepException("not started here"));
        return (exitCode, output.ToString(), errors.ToString());
    }
}
