// The control socket and the commands as the machine sees them: real users and groups, curl, a real terminal of 40 columns, a full
// disk and a reader that leaves. The groups are in an /etc/group that only the daemon sees, in a mount namespace of its own.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

[TestFixture(false)]
[TestFixture(true)]
internal sealed partial class ControlTests(bool native)
{
    private const int Columns = 40;
    private const int User = 54_321;
    private const int Readers = 54_330;
    private const int Admins = 54_331;
    private const string Mac = "02:00:5e:10:00:09";
    private const string Tables = "status domains ports peers fdb neighbors directory counters";

    private string _program = "";
    private string _folder = "";
    private Lab? _lab;
    private VtepRun? _run;

    private VtepRun Run => _run!;

    [OneTimeSetUp]
    public void Start()
    {
        Requirements.Need("curl", "script", "setpriv", "unshare");
        _program = native ? NativeProgram.Executable : VtepProcess.Executable;
        _lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;
        string groups = Path.Combine(_folder, "group");
        File.WriteAllText(groups, $"root:x:0:\nvtep:x:{Readers}:\nvtep-admin:x:{Admins}:\n");
        _run = new VtepRun(_lab.Hosts[0].Namespace, VtepRun.Configuration($"{_lab.Hosts[0].Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2", "198.18.0.3")), _program);
        _run.Start(limitSeconds: 60, through: ["unshare", "--mount", "sh", "-c", $"mount --bind {groups} /etc/group && exec \"$@\"", "sh"]);
        _run.Ask("fdb", "add", "--vni", "100", "--mac", Mac, "--vtep", "198.18.0.2").OrFail();
    }

    [OneTimeTearDown]
    public void Stop()
    {
        try
        {
            _run?.Stop();
        }
        finally
        {
            _run?.Dispose();
            _lab?.Dispose();
            if (_folder.Length > 0)
                Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public void Curl_AsksChangesAndIsToldWhatIsWrong()
    {
        JsonNode entry = JsonNode.Parse(Curl([], "/v1/fdb?vni=100").Body)!.AsArray().Single(candidate => (string?)candidate!["mac"] == Mac)!;
        Assert.That(((string?)entry["kind"], (string?)entry["vtep"]), Is.EqualTo(("static", "198.18.0.2:4789")));
        const string Other = """{"vni":100,"mac":"02:00:5e:10:00:0a","vtep":"198.18.0.3"}""";
        Assert.That(Curl([], "/v1/fdb", "--json", Other), Is.EqualTo((204, "")));
        Assert.That(Curl([], "/v1/fdb", "--json", Other).Status, Is.EqualTo(409));
        Assert.That(Curl([], "/v1/fdb?vni=100&mac=02:00:5e:10:00:0a", "-X", "DELETE"), Is.EqualTo((204, "")));
        (int status, string said) = Curl([], "/v1/fdb", "-d", Other);
        Assert.That((status, said.Contains("--json", StringComparison.Ordinal)), Is.EqualTo((415, true)), said);
        Assert.That(Curl([], "/v1/fdb", "--json", $"\"{new string('x', 100_000)}\"").Status, Is.EqualTo(413));
        string document = Curl([], "/openapi.json").Body;
        Assert.That((string?)JsonNode.Parse(document)!["openapi"], Does.StartWith("3.1."));
        Assert.That(document, Does.Contain("\"description\":\"Its domain.\"").And.Contain("\"description\":\"The station; all zeros: the flood list.\""));
    }

    [Test]
    public void Callers_AreWhoTheKernelSays()
    {
        string[] stranger = As(User, "--clear-groups");
        string[] reader = As(User, $"--groups=7,{Readers}");
        string[] admin = As(Admins, "--clear-groups");

        Assert.That(Curl(stranger, "/v1/status"), Is.EqualTo((403, Problem("Not allowed", 403,
            $"uid {User} may not ask this vtep. Use root, or join group vtep: usermod -aG vtep USER, and log in again."))));
        Assert.That(Curl(stranger, "/v1/reload", "-X", "POST").Status, Is.EqualTo(403));
        Assert.That(Curl(reader, "/v1/status").Status, Is.EqualTo(200));
        (int status, string said) = Curl(reader, "/v1/reload", "-X", "POST");
        Assert.That((status, said.Contains("vtep-admin", StringComparison.Ordinal)), Is.EqualTo((403, true)), said);
        Assert.That(Curl(admin, "/v1/reload", "-X", "POST").Status, Is.InRange(200, 204));
        Assert.That(Run.Process.Lines.Where(line => line.Contains($"uid {User}", StringComparison.Ordinal)).Select(line => PidOf().Replace(line[line.IndexOf("Control", StringComparison.Ordinal)..], "pid N")),
            Has.Some.EqualTo($"Control: uid {User}, pid N: POST /v1/reload: 204 done").Or.Some.EqualTo($"Control: uid {User}, pid N: POST /v1/reload: 200 done"));
    }

    [TestCase("TERM=xterm", true)]
    [TestCase("TERM=xterm NO_COLOR=1", false)]
    [TestCase("TERM=dumb", false)]
    public void TerminalOfFortyColumns_GetsNoLineThatIsWider(string environment, bool bold)
    {
        string shown = OnTerminal(environment, $"for table in {Tables}; do {_program} show $table --socket {Run.Socket}; done; {_program} diff --socket {Run.Socket}");

        Assert.That(shown.Contains("\u001b[1m", StringComparison.Ordinal), Is.EqualTo(bold), shown);
        string text = shown.Replace("\u001b[1m", "", StringComparison.Ordinal).Replace("\u001b[0m", "", StringComparison.Ordinal).Replace("\r\n", "\n", StringComparison.Ordinal);
        Assert.That(text.Where(c => char.IsControl(c) && c != '\n'), Is.Empty, text);
        Assert.That(text.Split('\n').Select(line => line.Length), Is.All.LessThanOrEqualTo(Columns), text);
        Assert.That(text, Does.Contain(Mac).And.Contain("198.18.0.3:4789").And.Contain("FROM UNDERLAY").And.Contain("local address present"));
    }

    [Test]
    public void Pipe_GetsPlainTables_OfOneLineForEachRow()
    {
        string table = Shell($"COLUMNS=20 TERM=xterm {_program} show fdb --socket {Run.Socket} | cat").Output;

        Assert.That(table.Split('\n')[0], Does.Match("^VNI +MAC +KIND +PORT +VTEP +AGE$"));
        Assert.That(table, Does.Match($"(?m)^100  {Mac}  static +- +198.18.0.2:4789 +0 s$"));
    }

    [TestCase("show fdb --socket SOCKET")]
    [TestCase("show fdb --json --socket SOCKET")]
    [TestCase("show status --socket SOCKET")]
    [TestCase("--help")]
    public void FullDisk_IsOneSentence_AndExitCodeOne(string words)
    {
        CommandResult result = Command.Run("bash", "-c", $"{_program} {words.Replace("SOCKET", Run.Socket, StringComparison.Ordinal)} > /dev/full");

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.StartWith("The answer can't be written to standard output: No space left on device"));
        Assert.That(result.Error.TrimEnd('\n'), Does.Not.Contain("\n"));
    }

    [Test]
    public void ReaderThatLeaves_IsAQuietEnd()
    {
        CommandResult result = Shell($"{_program} show domains --socket {Run.Socket} | head -1; echo ${{PIPESTATUS[0]}}");

        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Does.StartWith("VNI").And.EndsWith("\n0\n"));
    }

    private static string Problem(string title, int status, string detail) =>
        $$"""{"title":"{{title}}","status":{{status}},"detail":"{{detail}}","errors":null}""";

    private static string[] As(int group, string groups) => ["setpriv", $"--reuid={User}", $"--regid={group}", groups];

    private static CommandResult Shell(string line) => Command.Run("bash", "-c", line).OrFail();

    private static string OnTerminal(string environment, string line) =>
        Command.Run(TimeSpan.FromSeconds(60), "env", ["-u", "NO_COLOR", "-u", "COLUMNS", .. environment.Split(' '), "script", "-qec", $"stty cols {Columns} rows 24; {line}", "/dev/null"]).OrFail().Output;

    private (int Status, string Body) Curl(string[] through, string path, params string[] options)
    {
        string[] line = [.. through, "curl", "-sS", "--max-time", "10", "--unix-socket", Run.Socket, "-w", "\n%{http_code}", .. options, $"http://vtep{path}"];
        string output = Command.Run(line[0], line[1..]).OrFail().Output;
        int end = output.LastIndexOf('\n');
        return (int.Parse(output[(end + 1)..], System.Globalization.CultureInfo.InvariantCulture), output[..end]);
    }

    [GeneratedRegex("pid [0-9]+")]
    private static partial Regex PidOf();
}
