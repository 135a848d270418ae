// A copy of the library's sources in a git repository of its own, with the history of one commit that is the same wherever it is made, so that
// what packages say of their repository doesn't depend on the state of the one the tests stand in, nor on there being one.

using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;

namespace VtepDataPlane.SystemTests.Packaging;

/// <summary>A clone of the library that can be packed.</summary>
internal sealed class Library
{
    /// <summary>Of the packages; one that nobody publishes.</summary>
    public const string Version = "0.1.0-consumed";

    private const string Projects = """
        <Solution>
          <Project Path="src/VtepDataPlane/VtepDataPlane.csproj" />
          <Project Path="src/VtepDataPlane.Linux/VtepDataPlane.Linux.csproj" />
        </Solution>
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5); // seconds, on a machine with nothing else to do

    private readonly string _folder;

    private Library(string folder) => _folder = folder;

    /// <summary>Where the packages are.</summary>
    public string Feed => Path.Combine(_folder, "artifacts/package/release");

    /// <summary>Copies the sources and commits them.</summary>
    /// <param name="folder">Made here.</param>
    /// <param name="remote">What the clone's origin is.</param>
    public static Library Clone(string folder, string remote)
    {
        foreach (string file in new[] { "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig", ".gitignore" })
            Copy(file, folder);
        foreach (string project in new[] { "src/VtepDataPlane", "src/VtepDataPlane.Linux" })
        {
            foreach (string file in Directory.EnumerateFiles(Path.Combine(NativeProgram.Root, project), "*", SearchOption.AllDirectories))
                Copy(Path.GetRelativePath(NativeProgram.Root, file), folder);
        }

        File.WriteAllText(Path.Combine(folder, "Packages.slnx"), Projects);
        Commit(folder);
        Git(folder, "remote", "add", "origin", remote);
        return new Library(folder);
    }

    /// <summary>Packs both; a warning fails.</summary>
    public void Pack() => Dotnet("pack", "Packages.slnx");

    /// <summary>Compiles both; a warning fails.</summary>
    public void Build() => Dotnet("build", "Packages.slnx");

    /// <summary>Finds out, once more, where the source is published; a warning fails.</summary>
    public void FindSource() => Dotnet("build", "src/VtepDataPlane", "--no-restore", "-t:GenerateSourceLinkFile");

    /// <summary>Is no clone of anything any more.</summary>
    public void ForgetRemote() => Git(_folder, "remote", "remove", "origin");

    /// <summary>What was compiled, an assembly or its symbols.</summary>
    public byte[] Built(string file) => File.ReadAllBytes(Path.Combine(_folder, "artifacts/bin", Path.GetFileNameWithoutExtension(file), "release", file));

    /// <summary>A package, or its symbols.</summary>
    public string Package(string name, string kind = "nupkg") => Path.Combine(Feed, $"{name}.{Version}.{kind}");

    // The analyzers have seen the sources already.
    private void Dotnet(string verb, string project, params IEnumerable<string> arguments) => Command.Run(s_limit, "dotnet",
        [verb, Path.Combine(_folder, project), "--configuration", "Release", "--nologo", $"-p:Version={Version}", "-p:RunAnalyzers=false", "-warnaserror", .. arguments]).OrFail();

    private static void Copy(string file, string folder)
    {
        string to = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(Path.Combine(NativeProgram.Root, file), to);
    }

    // The same names and times each time make the same commit.
    private static void Commit(string folder)
    {
        Git(folder, "init", "--quiet", "--initial-branch=main");
        Git(folder, "add", "--all");
        Command.Run("env", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z", "git", "-C", folder,
            "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=One").OrFail();
    }

    private static void Git(string folder, params IEnumerable<string> arguments) => Command.Run("git", ["-C", folder, .. arguments]).OrFail();
}
