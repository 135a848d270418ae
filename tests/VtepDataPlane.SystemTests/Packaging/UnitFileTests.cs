// The units as systemd-analyze(1) judges them, their man pages as man(1) and mandoc(1) do, and the package as a file: nothing is installed here.

using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;

namespace VtepDataPlane.SystemTests.Packaging;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed partial class UnitFileTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    // Anchors: a bare unit has 9.6, systemd-networkd 2.8.
    [TestCase("vtep.service", null, 1.2)]
    [TestCase("vtep.service", "jit", 1.6)]
    [TestCase("vtep.service", "net-admin", 1.6)]
    [TestCase("vtep.service", "diagnostics", 1.2)]
    [TestCase("vtep-setup.service", null, 1.8)]
    public void Exposure_IsNoMoreThan(string unit, string? dropIn, double most)
    {
        Requirements.Need("systemd-analyze");
        string text = PackageFiles.Text($"systemd/{unit}") + (dropIn is null ? "" : PackageFiles.Text($"examples/vtep.service.d/{dropIn}.conf"));
        string path = Path.Combine(_folder, unit);
        File.WriteAllText(path, text);

        string said = Command.Run("systemd-analyze", "security", "--offline=true", "--no-pager", path).OrFail().Output;

        Assert.That(double.Parse(Level().Match(said).Groups[1].Value, CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(most), said);
    }

    [TestCase("vtep.8")]
    [TestCase("vtep.jsonc.5")]
    public void ManPage_IsRenderedWithoutAWarning(string page)
    {
        Requirements.Need("man", "mandoc");
        string path = Path.Combine(PackageFiles.Folder, "man", page);

        CommandResult lint = Command.Run("mandoc", "-Tlint", "-Wwarning", path);
        Assert.That((lint.ExitCode, lint.Output), Is.EqualTo((0, "")));
        CommandResult shown = Command.Run("env", "LC_ALL=C.UTF-8", "MANWIDTH=80", "man", "--warnings", "-E", "UTF-8", "-l", path).OrFail();
        Assert.That(shown.Error, Is.Empty);
        Assert.That(shown.Output, Does.Contain("SYNOPSIS").Or.Contain("KEYS"));
        Assert.That(shown.Output.Split('\n').Max(line => line.Length), Is.LessThanOrEqualTo(80));
    }

    [Test]
    public void Package_IsTheSameByteForByte_WheneverAndWhereverItIsBuilt()
    {
        Requirements.Need("dpkg-deb", "strip");
        string one = PackageFiles.Build("/bin/true", Path.Combine(_folder, "one"));
        string two = Command.Run("env", "TMPDIR=" + _folder, "TZ=Asia/Tokyo", Path.Combine(PackageFiles.Folder, "build-deb.sh"),
            "--binary", "/bin/true", Path.Combine(_folder, "two")).OrFail().Output.Trim();

        Assert.That(File.ReadAllBytes(two), Is.EqualTo(File.ReadAllBytes(one)));
        Assert.That(Path.GetFileName(one), Does.Match(@"^vtep_\d+\.\d+\.\d+_amd64\.deb$"));
    }

    [Test]
    public void Program_IsBelow30MiB() => Assert.That(new FileInfo(NativeProgram.Executable).Length, Is.LessThan(30 << 20));

    [Test]
    public void Firewall_IsUnderstood_AndKeepsStrangersOut()
    {
        Requirements.Need("nft");
        using var host = new Netlink.NetlinkNamespace();
        string rules = Path.Combine(_folder, "vtep.nft");
        File.WriteAllText(rules, PackageFiles.Text("nft/vtep.nft").Replace("\"vtep\"", "\"nobody\"", StringComparison.Ordinal)); // a user who is there

        host.Exec($"nft --file {rules}");
        host.Exec($"nft --file {rules}"); // it replaces itself

        Assert.That(host.Exec("nft list table inet vtep"), Does.Contain("udp dport 4789 counter packets 0 bytes 0 drop").And.Contain("notrack").And.Contain("meta skuid !="));
    }

    [GeneratedRegex(@"Overall exposure level for \S+: (\d+\.\d+)")]
    private static partial Regex Level();
}
