// The ahead-of-time build does all that the other build does. What could be lost on the way is what is found by reflection at run
// time (serializers, services, commands), and the vector code, which that compiler leaves out for processors it isn't told of.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

internal sealed class NativeAotTests : TestBed
{
    private const long MostBytes = 30 << 20;
    private const string Mac = "02:00:5e:10:00:09";
    private static readonly string[] s_shown = ["status", "domains", "ports", "peers", "fdb", "neighbors", "counters"];

    [Test]
    public void Publish_MakesOneFile_LinkedWithNothingButTheCLibrary()
    {
        string folder = Path.GetDirectoryName(NativeProgram.Executable)!;
        Assert.That(Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName), Is.EqualTo(new[] { "vtep" }));
        Assert.That(new FileInfo(NativeProgram.Executable).Length, Is.LessThan(MostBytes));
        IEnumerable<string> libraries = Command.Run("ldd", NativeProgram.Executable).OrFail().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Path.GetFileName(line.Trim().Split(' ')[0]));
        Assert.That(libraries, Is.SubsetOf(new[] { "linux-vdso.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2" }));
    }

    [Test]
    public void TheChecksum_IsSummedInVectorsOf256Bits()
    {
        _ = NativeProgram.Executable;
        IReadOnlyDictionary<string, string> functions = NativeProgram.Disassemble("InternetChecksum__Sum");
        Assert.That(functions.Keys, Has.Some.EndsWith("Sum256"));
        Assert.That(functions.Single(function => function.Key.EndsWith("Sum256", StringComparison.Ordinal)).Value,
            Does.Match("vpaddq +%ymm"));
    }

    [Test]
    public void CommandsWithoutADaemon_SayWhatTheOtherBuildSays()
    {
        using var folder = new TemporaryFile("""{ "workers": -1, "underlay": { "local": "198.18.0.300" }, "bridgeDomain": [ { "vni": 100 } ] }""");
        string sample = Path.Combine(NativeProgram.Root, "samples/vtep.jsonc");
        AssertSame(0, "--help");
        AssertSame(0, "--version");
        AssertSame(0, "fdb", "add", "--help");
        AssertSame(0, "check", sample);
        AssertSame(2, "check", folder.Path);
        AssertSame(2, "check", "/nowhere.jsonc");
        AssertSame(2, "run", "--config", folder.Path);
        AssertSame(2, "shwo");
        AssertSame(2, "fdb", "add", "--vni", "x", "--mac", Mac);
        AssertSame(3, "show", "status", "--socket", "/nowhere.sock");
    }

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void BothBuilds_CarryPingsAndTcpBetweenThem(AddressFamily underlay)
    {
        Make(Lab.Switched(underlay, hosts: 2));
        (LabHost one, LabHost two) = (Lab.Hosts[0], Lab.Hosts[1]);
        Station native = Start(one, NativeProgram.Executable, new LabDomain("blue", 100) { Peers = [two.Underlay] }).Station;
        Station other = Start(two, new LabDomain("blue", 100) { Peers = [one.Underlay] }).Station;
        Ping.UntilReached(native, other.Address4);
        Ping.AssertReaches(native, other, count: 20);
        Ping.AssertReaches(other, native, count: 20);
        foreach (AddressFamily inner in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            TcpTransfer.AssertArrives(native, other, inner);
            TcpTransfer.AssertArrives(other, native, inner);
        }
    }

    [Test]
    public void MulticastBetweenTwoNativeBuilds_FindsThePeer()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        var blue = new LabDomain("blue", 100) { Group = System.Net.IPAddress.Parse("239.1.1.100") };
        VtepProcess[] vteps = [.. Lab.Hosts.Select(host => Start(host, NativeProgram.Executable, blue))];
        Ping.UntilReached(vteps[0].Station, vteps[1].Station.Address4);
        Ping.AssertReaches(vteps[0].Station, vteps[1].Station, count: 20);
        Assert.That(vteps[0].Fdb(vteps[1].Station.Mac), Is.EqualTo(new[] { $"remote {Lab.Hosts[1].Underlay}:4789" }));
    }

    [Test]
    public void ARunningDaemon_ShowsChangesReloadsAndStops()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        LabHost host = lab.Hosts[0];
        using var run = new VtepRun(host.Namespace, Blue(host), NativeProgram.Executable);
        run.Start();
        run.Ask("fdb", "add", "--vni", "100", "--mac", Mac, "--vtep", "198.18.0.2").OrFail();
        Assert.That(run.Show("fdb").AsArray().Select(entry => $"{entry!["mac"]} {entry["kind"]} {entry["vtep"]}"),
            Has.Some.EqualTo($"{Mac} static 198.18.0.2:4789"));
        CommandResult again = run.Ask("fdb", "add", "--vni", "100", "--mac", Mac, "--vtep", "198.18.0.2");
        Assert.That((again.ExitCode, again.Error.Contains(Mac, StringComparison.Ordinal)), Is.EqualTo((1, true)), again.Error);
        AssertTablesAreThoseOfTheOtherBuild(run);
        run.Ask("fdb", "del", "--vni", "100", "--mac", Mac).OrFail();
        Assert.That(run.Show("fdb").ToJsonString(), Does.Not.Contain(Mac));

        run.Write(VtepRun.Configuration($"{host.Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2"), VtepRun.Domain("red", 200, "198.18.0.3")));
        run.Ask("reload").OrFail();
        Assert.That((run.Show("domains").AsArray().Count, host.Namespace.HasDevice("tap-red")), Is.EqualTo((2, true)), "after vtep reload");
        run.Write(Blue(host));
        run.Process.Signal("HUP");
        Wait.Until("SIGHUP took the domain away", () => run.Show("domains").AsArray().Count == 1, 5, () => run.Process.Text);
        run.Write(VtepRun.Configuration($"{host.Underlay}", VtepRun.Domain("blue", 1 << 24, "198.18.0.2")));
        CommandResult broken = run.Ask("reload");
        Assert.That((broken.ExitCode, broken.Error.Contains("$.bridgeDomains[0].vni", StringComparison.Ordinal)), Is.EqualTo((1, true)), broken.Error);

        Assert.That(File.ReadAllText($"/proc/{run.Process.Id}/maps"), Does.Not.Contain("libssl"), "loaded at run time");
        run.Stop();
        Assert.That(run.Leftovers(), Is.Empty);
        Assert.That(host.Namespace.HasDevice("tap-blue"), Is.False, "the TAP is left");
    }

    [Test]
    public void EveryAnswer_HasTheFormOfTheOtherBuilds()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        string[] native = FormsOfAnswers(lab.Hosts[0], NativeProgram.Executable);
        Assert.That(native, Is.EqualTo(FormsOfAnswers(lab.Hosts[0], VtepProcess.Executable)));
        Assert.That(native, Has.Length.EqualTo(s_shown.Length).And.Some.Contains(".pathMtu Number"));
    }

    private static JsonObject Blue(LabHost host) => VtepRun.Configuration($"{host.Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2"));

    private static void AssertSame(int exitCode, params string[] words)
    {
        CommandResult native = Command.Run(NativeProgram.Executable, words);
        CommandResult other = Command.Run(VtepProcess.Executable, words);
        Assert.That((native.ExitCode, native.Output, native.Error), Is.EqualTo((other.ExitCode, other.Output, other.Error)), native.CommandLine);
        Assert.That(native.ExitCode, Is.EqualTo(exitCode), native.CommandLine);
    }

    // Numbers may grow between two questions; rows and columns stay.
    private static void AssertTablesAreThoseOfTheOtherBuild(VtepRun run)
    {
        foreach (string what in s_shown)
        {
            string native = run.Ask("show", what).OrFail().Output;
            string other = Command.Run(VtepProcess.Executable, "show", what, "--socket", run.Socket).OrFail().Output;
            Assert.That(Names(native), Is.EqualTo(Names(other)), $"vtep show {what}");
            Assert.That(native, Is.Not.Empty);
        }
    }

    private static IEnumerable<string> Names(string table) => table.Split('\n').Select(line => line.Split(' ')[0]);

    private static string[] FormsOfAnswers(LabHost host, string program)
    {
        using var run = new VtepRun(host.Namespace, Blue(host), program);
        run.Start();
        run.Ask("fdb", "add", "--vni", "100", "--mac", Mac, "--vtep", "198.18.0.2").OrFail();
        string[] forms = [.. s_shown.Select(what => $"{what} {string.Join('\n', Form(JsonNode.Parse(run.Ask("show", what, "--json").OrFail().Output)!).Distinct().Order())}")];
        run.Stop();
        return forms;
    }

    // The path and kind of every value. Which drops there are, and which stations were seen, is chance.
    private static IEnumerable<string> Form(JsonNode? node, string path = "$") => node switch
    {
        JsonObject members => members.SelectMany(member => Form(member.Value, $"{path}.{member.Key}")).Where(_ => !path.EndsWith(".drops", StringComparison.Ordinal)),
        JsonArray elements => elements.SelectMany(element => Form(element, $"{path}[]")),
        _ => [$"{path} {node?.GetValueKind().ToString() ?? "Null"}"],
    };

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
