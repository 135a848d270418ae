// A host with several things wrong at once, and one with nothing wrong, as `vtep check` and `vtep doctor` see them. What hangs on the
// machine that runs the tests (its clock, its buffers) is left out.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class DoctorTests
{
    private const int Port = 4789;
    private static readonly string[] s_ofTheMachine = ["clock", "buffers", "offloads", "conntrack", "files"];

    [Test]
    public void BrokenHost_IsDescribedLineByLine()
    {
        Requirements.Need("nft");
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 4);
        (LabHost here, LabHost listening, LabHost dropping, LabHost deaf) = (lab.Hosts[0], lab.Hosts[1], lab.Hosts[2], lab.Hosts[3]);
        here.Namespace.Ip($"route add {listening.Underlay}/32 dev eth0 mtu 1400");
        dropping.Namespace.Exec("nft", "add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c ip length > 1300 drop");
        using Socket stranger = Listen(here);
        using Socket one = Listen(listening);
        using Socket two = Listen(dropping);
        using var run = new VtepRun(here.Namespace, VtepRun.Configuration($"{here.Underlay}", Blue(listening, dropping, deaf), Red("eth9")));

        CommandResult check = Try(here, VtepProcess.Executable, "check", run.ConfigurationFile);
        CommandResult doctor = Try(here, VtepProcess.Executable, "doctor", "--config", run.ConfigurationFile);

        string owner = $"UDP port {Port} on all addresses is held by process {Environment.ProcessId} ({File.ReadAllText("/proc/self/comm").TrimEnd()}); "
            + "stop it, or give underlay.port another number (on every VTEP)";
        string mtu = $"the MTU is 1450, but the path to {listening.Underlay} carries 1350: longer packets are dropped and answered; write 1350, or raise the MTU on the way";
        const string Group = "there is no interface 'eth9'; correct \"interface\" of the domain's multicast discovery";
        Assert.Multiple(() =>
        {
            Assert.That((check.ExitCode, check.Output), Is.EqualTo((2, "")));
            Assert.That(check.Error.TrimEnd('\n').Split('\n').Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]), Is.EquivalentTo(new[]
            {
                $"$.underlay.port: {owner}", $"warning: $.bridgeDomains[0].ports[0].mtu: {mtu}", $"$.bridgeDomains[1].discovery.multicast.interface: {Group}",
            }));
            Assert.That((doctor.ExitCode, doctor.Error), Is.EqualTo((1, "")));
            Assert.That(Lines(doctor).Where(line => !line.StartsWith("ok ", StringComparison.Ordinal)), Is.EquivalentTo(new[]
            {
                $"FAIL port {owner}",
                $"FAIL group {Group}",
                $"warn mtu tap-blue: {mtu}",
                $"warn daemon No vtep is listening on {run.Socket}: there is no such socket; start it with vtep run --config FILE, or name its socket with --socket",
                $"FAIL peer {dropping.Underlay} answers packets of 1300 bytes and none larger, though the route there says 1500: larger frames vanish on the way; "
                    + "find what drops them and their ICMP messages, or tell the route: 'ip route change ... mtu 1300'",
                $"FAIL peer nobody listens on UDP port {Port} of {deaf.Underlay}; start its vtep, or correct the peer's address and port here",
            }));
            Assert.That(Lines(doctor), Has.Member($"ok peer {listening.Underlay} answers packets of 1400 bytes, and UDP port {Port} isn't closed"));
        });
    }

    [Test]
    public void HealthyHost_IsOkForRoot_AndForAUserWithoutAnyRight_WhoOnlyCannotPing()
    {
        const string NoPing = "this user can't ping, so whether VTEPs are there and what their paths carry wasn't tried; run it as root, or with CAP_NET_RAW";
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        (LabHost here, LabHost there) = (lab.Hosts[0], lab.Hosts[1]);
        here.Namespace.Ip($"tuntap add dev tap-blue mode tap user {Privileges.UserId} multi_queue");
        here.Namespace.Ip($"link set tap-blue mtu {lab.OverlayMtu} up");
        using var other = new VtepProcess(there, new LabDomain("blue", 100) { Peers = [here.Underlay] });
        using var run = new VtepRun(here.Namespace, VtepRun.Configuration($"{here.Underlay}", VtepRun.Domain("blue", 100, $"{there.Underlay}")));
        string[] nobody = [.. Privileges.NodeOfMode("666"), .. Privileges.None];
        run.Start(through: nobody);
        string program = Path.Combine(Path.GetDirectoryName(run.Socket)!, "bin", "vtep");

        foreach (string[] through in (string[][])[[], nobody])
        {
            CommandResult check = Try(here, [.. through, program, "check", run.ConfigurationFile]);
            Assert.That((check.ExitCode, check.Error), Is.EqualTo((0, "")));
            CommandResult doctor = Try(here, [.. through, program, "doctor", "--config", run.ConfigurationFile]);
            Assert.That((doctor.ExitCode, doctor.Error), Is.EqualTo((0, "")), doctor.Output);
            bool isRoot = through.Length == 0;
            Assert.That(Lines(doctor).Where(line => !line.StartsWith("ok ", StringComparison.Ordinal)), Is.EqualTo(isRoot ? Array.Empty<string>() : [$"warn peer {NoPing}"]));
            Assert.That(Lines(doctor), Has.One.StartsWith(isRoot
                ? $"ok peer {there.Underlay} answers packets of 1500 bytes, and UDP port {Port} isn't closed" : $"ok peer nothing says that nobody listens on {there.Underlay}:{Port}"));
            JsonArray json = JsonNode.Parse(Try(here, [.. through, program, "doctor", "--config", run.ConfigurationFile, "--json"]).OrFail().Output)!.AsArray();
            Assert.That(json.Where(finding => !s_ofTheMachine.Contains((string)finding!["id"]!)).Select(finding => (string?)finding!["severity"]),
                isRoot ? Is.All.EqualTo("ok") : Has.Exactly(1).EqualTo("warning"));
        }

        run.Stop();
        CommandResult before = Try(here, [.. nobody, program, "check", run.ConfigurationFile]);
        Assert.That((before.ExitCode, before.Error), Is.EqualTo((0, "")), "nothing keeps it from being started again");
        Assert.That(other.Drops("vxlan_invalid_header"), Is.EqualTo(4), "one datagram of each doctor");
        other.Stop();
    }

    private static CommandResult Try(LabHost host, params string[] line) => host.Namespace.Try(TimeSpan.FromSeconds(15), line[0], line[1..]);

    private static Socket Listen(LabHost host) => InNamespace.Run(host.Namespace.Name, () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, Port));
        return socket;
    });

    private static JsonObject Blue(params IEnumerable<LabHost> peers)
    {
        JsonObject domain = VtepRun.Domain("blue", 100, peers.Select(peer => $"{peer.Underlay}"));
        domain["ports"]![0]!["mtu"] = 1450;
        return domain;
    }

    private static JsonObject Red(string device)
    {
        JsonObject domain = VtepRun.Domain("red", 200);
        domain["discovery"] = new JsonObject { ["multicast"] = new JsonObject { ["group"] = "239.1.1.200", ["interface"] = device } };
        return domain;
    }

    /// <summary>What doesn't hang on the machine, with single blanks between the columns.</summary>
    private static List<string> Lines(CommandResult doctor) =>
    [
        .. doctor.Output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(words => !s_ofTheMachine.Contains(words[1])).Select(words => string.Join(' ', words)),
    ];
}
