// The two NuGet packages: what is in them, that it is the same wherever they are made, and that a program which knows nothing of the repository can
// use them, just-in-time compiled and native. Packed and built once for all: each compilation takes seconds. Packages come from a feed in a folder, all
// others from the machine's usual sources, or from its cache, which is read and never written to.

using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Xml.Linq;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;

namespace VtepDataPlane.SystemTests.Packaging;

[Parallelizable(ParallelScope.Self)]
internal sealed class NugetTests
{
    private const string Remote = "https://github.com/example/vtepdataplane";
    private const string Expected = """
        arrived: True
        left: received 1, sent 1, unaccounted 0
        right: 02:00:5e:10:00:01 is behind 198.18.0.1:4789 (remote)
        problem: $.bridgeDomains[0].discovery.static.peers[0]: 198.18.0.1 is this VTEP's own address; list the other ones only

        """;

    private static readonly string[] s_names = ["VtepDataPlane", "VtepDataPlane.Linux"];
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5); // seconds, on a machine with nothing else to do

    private string _folder = null!;
    private Library _library = null!;
    private Library _elsewhere = null!;

    [OneTimeSetUp]
    public void Pack()
    {
        Requirements.Need("git", "clang");
        _folder = Directory.CreateTempSubdirectory("vtep-nuget-").FullName;
        _library = Library.Clone(Path.Combine(_folder, "here"), Remote);
        _elsewhere = Library.Clone(Path.Combine(_folder, "in/another/place"), Remote);
        Parallel.Invoke(_library.Pack, _elsewhere.Build);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void EachPackage_SaysWhatItIs_AndDependsOnNothingElse()
    {
        XElement core = Nuspec("VtepDataPlane");
        XElement linux = Nuspec("VtepDataPlane.Linux");

        Assert.That(Directory.EnumerateFiles(_library.Feed).Select(Path.GetFileName), Is.EquivalentTo(
            s_names.SelectMany(name => new[] { $"{name}.{Library.Version}.nupkg", $"{name}.{Library.Version}.snupkg" })));
        Assert.That(Dependencies(core), Is.Empty);
        Assert.That(Dependencies(linux).Keys, Is.EquivalentTo(["VtepDataPlane", "Microsoft.Extensions.Logging.Abstractions", "Tmds.LibC"]));
        Assert.That(Dependencies(linux)["VtepDataPlane"], Is.EqualTo($"[{Library.Version}]"), "it uses internals of the core");
        foreach (XElement package in new[] { core, linux })
        {
            Assert.That(Text(package, "license"), Is.EqualTo("MIT"));
            Assert.That(Text(package, "readme"), Is.EqualTo("README.md"));
            Assert.That(package.Elements().Single(element => element.Name.LocalName == "repository").Attribute("url")!.Value, Is.EqualTo(Remote));
        }

        foreach (string name in s_names)
        {
            using ZipArchive files = ZipFile.OpenRead(_library.Package(name));
            Assert.That(files.Entries.Select(entry => entry.FullName), Is.SupersetOf([$"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml", "README.md"]));
        }
    }

    [Test]
    public void TwoClonesOfOneCommit_MakeTheSameBytes_WithNoPathOfTheirMachineInThem()
    {
        foreach (string name in s_names)
        {
            byte[] assembly = File(_library.Package(name), $"lib/net10.0/{name}.dll");
            byte[] symbols = File(_library.Package(name, "snupkg"), $"lib/net10.0/{name}.pdb");

            Assert.That(_elsewhere.Built($"{name}.dll").AsSpan().SequenceEqual(assembly), name);
            Assert.That(_elsewhere.Built($"{name}.pdb").AsSpan().SequenceEqual(symbols), name);
            Assert.That(Encoding.Latin1.GetString(assembly), Does.Not.Contain(_folder));
            Assert.That(Documents(symbols), Has.All.StartWith("/_/"));
        }
    }

    [Test]
    public void Symbols_LeadToTheSource_AtTheCommitItWasMadeFrom()
    {
        string commit = Nuspec("VtepDataPlane").Elements().Single(element => element.Name.LocalName == "repository").Attribute("commit")!.Value;
        foreach (string name in s_names)
        {
            string symbols = Encoding.UTF8.GetString(File(_library.Package(name, "snupkg"), $"lib/net10.0/{name}.pdb"));
            Assert.That(symbols, Does.Contain($"\"/_/*\":\"https://raw.githubusercontent.com/example/vtepdataplane/{commit}/*\""));
        }
    }

    [Test]
    public void ACloneWithoutARemote_IsBuiltWithoutAWarning()
    {
        _elsewhere.ForgetRemote();

        Assert.That(_elsewhere.FindSource, Throws.Nothing);
    }

    [Test]
    public void AProgramOutsideTheRepository_RunsOnThePackages_JustInTimeCompiled_AndNative()
    {
        string program = WriteProgram();
        Dotnet(program, "build");
        string managed = Path.Combine(program, "bin/Release/net10.0/linux-x64/Consumer.dll");
        AssertAnswers(Command.Run("dotnet", managed));

        Dotnet(program, "publish");
        AssertAnswers(Command.Run(Path.Combine(program, "bin/Release/net10.0/linux-x64/publish/Consumer")));
    }

    private string WriteProgram()
    {
        string program = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;
        string source = Path.Combine(NativeProgram.Root, "tests/VtepDataPlane.SystemTests/Packaging/Consumer");
        foreach (string file in Directory.EnumerateFiles(source))
            System.IO.File.Copy(file, Path.Combine(program, Path.GetFileName(file)));
        foreach (string file in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            System.IO.File.WriteAllText(Path.Combine(program, file), "<Project />");
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        System.IO.File.WriteAllText(Path.Combine(program, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <fallbackPackageFolders><add key="cache" value="{cache}" /></fallbackPackageFolders>
              <packageSources><add key="feed" value="{_library.Feed}" /></packageSources>
            </configuration>
            """);
        return program;
    }

    // NUGET_PACKAGES would win over nuget.config.
    private static void Dotnet(string program, string verb) => Command.Run(s_limit, "env", "--unset=NUGET_PACKAGES", "dotnet", verb, program, "--configuration", "Release",
        "--nologo", $"-p:PackagesVersion={Library.Version}", "-warnaserror").OrFail();

    private static void AssertAnswers(CommandResult ran)
    {
        Assert.That(ran.OrFail().Output, Does.StartWith(Expected));
        Assert.That(ran.Output[Expected.Length..], Does.StartWith("refused: ").And.Contain("no-such-link"));
    }

    private XElement Nuspec(string name) =>
        XDocument.Parse(Encoding.UTF8.GetString(File(_library.Package(name), $"{name}.nuspec")).TrimStart('\uFEFF')).Root!.Elements().Single();

    private static string Text(XElement package, string element) => package.Elements().Single(child => child.Name.LocalName == element).Value;

    private static Dictionary<string, string> Dependencies(XElement package) => package.Descendants().Where(element => element.Name.LocalName == "dependency")
        .ToDictionary(dependency => dependency.Attribute("id")!.Value, dependency => dependency.Attribute("version")!.Value);

    private static byte[] File(string package, string name)
    {
        using ZipArchive files = ZipFile.OpenRead(package);
        using Stream from = files.GetEntry(name)!.Open();
        var bytes = new MemoryStream();
        from.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static List<string> Documents(byte[] symbols)
    {
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        MetadataReader reader = provider.GetMetadataReader();
        return [.. reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name))];
    }
}
