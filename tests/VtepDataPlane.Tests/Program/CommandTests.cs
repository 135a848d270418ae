// Command lines: what is said when they are wrong, and the exit codes.

using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class CommandTests
{
    private const string Good = """{ "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""";

    [TestCase("", "vtep needs a command: run, check, plan, reload, show, top, capture, explain, fdb, directory, diff, release, doctor, setup, schema, bench.", "Try vtep --help.")]
    [TestCase("chek", "vtep has no command 'chek'; did you mean check?", "Try vtep --help.")]
    [TestCase("quux", "vtep has no command 'quux'; the commands are run, check, plan, reload, show, top, capture, explain, fdb, directory, diff, release, doctor, setup, schema, bench.", "Try vtep --help.")]
    [TestCase("show", "vtep show needs a command: status, domains, ports, peers, fdb, neighbors, directory, counters, config.", "Try vtep show --help.")]
    [TestCase("show fbd", "vtep show has no command 'fbd'; did you mean fdb?", "Try vtep show --help.")]
    [TestCase("fdb ad", "vtep fdb has no command 'ad'; did you mean add?", "Try vtep fdb --help.")]
    [TestCase("directory", "vtep directory needs a command: add, del, accept.", "Try vtep directory --help.")]
    [TestCase("directory add", "Option '--node' is required.", "Try vtep directory add --help.")]
    [TestCase("directory add --node h2 --vni x", "--vni: 'x' is no VNI; write a number from 0 to 16777215.")]
    [TestCase("directory del --node h2 --vni 1 --mac x", "--mac: 'x' is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.")]
    [TestCase("release --config /none", "/none: there is no such file; give the path of the configuration file")]
    [TestCase("run", "Option '--config' is required.", "Try vtep run --help.")]
    [TestCase("setup", "Option '--config' is required.", "Try vtep setup --help.")]
    [TestCase("check", "Required argument 'FILE' missing for command: 'check'.", "Try vtep check --help.")]
    [TestCase("show status --yaml", "--yaml isn't an option of vtep show status; its options are --json, --socket, --help.", "Try vtep show status --help.")]
    [TestCase("show fdb --jsn", "--jsn isn't an option of vtep show fdb; did you mean --json?", "Try vtep show fdb --help.")]
    [TestCase("show fdb --socet=/x", "--socet isn't an option of vtep show fdb; did you mean --socket?", "Try vtep show fdb --help.")]
    [TestCase("show fdb -json", "-json isn't an option of vtep show fdb; did you mean --json?", "Try vtep show fdb --help.")]
    [TestCase("fdb add --vin 1 --mac x", "--vin isn't an option of vtep fdb add; did you mean --vni?", "Try vtep fdb add --help.")]
    [TestCase("--verson", "--verson isn't an option of vtep; did you mean --version?", "Try vtep --help.")]
    [TestCase("show fdb --vni", "Required argument missing for option: '--vni'.", "Try vtep show fdb --help.")]
    [TestCase("show fdb --vni 1 --vni 2", "Option '--vni' expects a single argument but 2 were provided.", "Try vtep show fdb --help.")]
    [TestCase("show fdb red", "vtep show fdb takes options only, and 'red' is none; leave it out.", "Try vtep show fdb --help.")]
    [TestCase("check a b", "vtep check takes one FILE, and 'b' is another; leave it out.", "Try vtep check --help.")]
    [TestCase("show st\u001b[31m", "vtep show has no command 'st\\u001b[31m'; the commands are status, domains, ports, peers, fdb, neighbors, directory, counters, config.", "Try vtep show --help.")]
    [TestCase("show status --\u001b[31m", "--\\u001b[31m isn't an option of vtep show status; its options are --json, --socket, --help.", "Try vtep show status --help.")]
    [TestCase("show status --socket /", "--socket: '/' is no absolute path of a file; write it like /run/vtep/vtep.sock.")]
    [TestCase("top --interval 0.05", "--interval: '0.05' is no number of seconds from 0.1 to 60.", "Try vtep top --help.")]
    [TestCase("top --interval 61", "--interval: '61' is no number of seconds from 0.1 to 60.", "Try vtep top --help.")]
    [TestCase("top --interval 1,5", "--interval: '1,5' is no number of seconds from 0.1 to 60.", "Try vtep top --help.")]
    [TestCase("top --count 0", "--count: '0' is no number of pictures; write 1 or more.", "Try vtep top --help.")]
    [TestCase("bench --seconds 0", "--seconds: '0' is no number from 1 to 3600.", "Try vtep bench --help.")]
    [TestCase("bench --seconds x", "--seconds: 'x' is no number from 1 to 3600.", "Try vtep bench --help.")]
    public async Task WrongCommandLine_IsExplained_AndExitCodeTwo(string line, params string[] sentences)
    {
        (int exitCode, string output, string errors) = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(errors.TrimEnd('\n').Split('\n'), Is.EqualTo(sentences));
    }

    [Test]
    public async Task Help_NamesEveryCommand()
    {
        (int exitCode, string output, string errors) = await RunAsync("--help");

        Assert.That((exitCode, errors), Is.EqualTo((0, "")));
        foreach (string command in new[] { "run", "check", "plan", "reload", "show", "top", "capture", "explain", "fdb", "directory", "diff", "release", "doctor", "setup", "schema", "bench" })
            Assert.That(output, Does.Match($@"(?m)^  {command}\b"));
    }

    [Test]
    public async Task Check_SaysThatAFileIsValid_OrEverythingThatIsNot()
    {
        using var folder = new TemporaryFolder();
        string good = Repository.File("samples/vtep.jsonc");
        string bad = folder.File("bad.jsonc");
        await File.WriteAllTextAsync(bad, "{ \"workers\": -1,\n  \"underlay\": {} }");

        Assert.That(await RunAsync("check", "--offline", good), Is.EqualTo((0,
            $"{good} is valid: 3 bridge domains, 3 ports, 2 static peers, 1 multicast group, 2 controllers\n", "")));
        Assert.That(await RunAsync("check", good), Is.EqualTo((0,
            $"{good} is valid: 3 bridge domains, 3 ports, 2 static peers, 1 multicast group, 2 controllers\n",
            $"{good}:15:14: warning: $.underlay.local: 198.18.0.1 is not on this host, so what depends on the machine wasn't checked; run it there\n")));
        Assert.That(await RunAsync("check", bad), Is.EqualTo((2, "", $"""
            {bad}:1:1: $: the key "bridgeDomains" is missing; add "bridgeDomains": [ ... ]
            {bad}:1:14: $.workers: -1 is out of range; it must be 0 to 256
            {bad}:2:15: $.underlay: exactly one of "local" and "interface" must be there; give this host's address or the interface that has it

            """)));
    }

    [Test]
    public async Task RunWithABadFile_SaysEverything_AndStartsNothing()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("bad"), "{ \"workers\": -1, \"underlay\": 1, \"bridgeDomains\": 2 }");

        (int exitCode, string output, string errors) = await RunAsync("run", "--config", folder.File("bad"));

        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(errors.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(3));
    }

    [Test]
    public async Task RunThatTheMachineRefuses_IsOneLine_AndExitCodeOne()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("good"), Good.Replace("SOCKET", folder.File("vtep.sock"), StringComparison.Ordinal));

        (int exitCode, string output, string errors) = await RunAsync("run", "--config", folder.File("good"));

        Assert.That((exitCode, output, errors), Is.EqualTo((1, "", "TAP t0 can't be opened: Operation not permitted.\n")));
        Assert.That(File.Exists(folder.File("vtep.sock")), Is.False);
    }

    [Test]
    public async Task DaemonThatIsGone_IsExitCodeThree()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("leftover"), "");

        foreach (string[] command in new[] { new[] { "reload" }, ["show", "fdb", "--json"], ["top"], ["top", "--json"], ["fdb", "del", "--vni", "1", "--mac", "02:00:00:00:00:01"],
                     ["diff"], ["release"], ["directory", "add", "--node", "h2", "--vtep", "198.18.0.2"], ["directory", "accept"] })
        {
            (int exitCode, string output, string errors) = await RunAsync([.. command, "--socket", folder.File("leftover")]);

            Assert.That((exitCode, output), Is.EqualTo((3, "")));
            Assert.That(errors, Is.EqualTo($"No vtep is listening on {folder.File("leftover")}: the socket is a leftover of one that is gone; "
                + "start it with vtep run --config FILE, or name its socket with --socket.\n"));
        }
    }

    [Test]
    public async Task OutputThatCannotBeWritten_IsOneSentence_AndExitCodeOne()
    {
        using var full = new FullDisk();
        using var errors = new StringWriter();

        int exitCode = await CommandTree.InvokeAsync(["--help"], full, errors, Refuse);

        Assert.That((exitCode, errors.ToString()), Is.EqualTo((1,
            "The answer can't be written to standard output: No space left on device. Make room there, or write to another place.\n")));
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await CommandTree.InvokeAsync(arguments, output, errors, Refuse);
        return (exitCode, output.ToString(), errors.ToString());
    }

    private static DataPlane Refuse(VtepConfig config, ILoggerFactory loggers) => throw new VtepException("TAP t0 can't be opened: Operation not permitted.");

    private sealed class FullDisk : StringWriter
    {
        public override void Flush() => throw new IOException("No space left on device");
    }
}
