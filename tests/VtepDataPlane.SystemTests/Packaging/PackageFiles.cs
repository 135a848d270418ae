// The package and its sources, for the tests.

using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;

namespace VtepDataPlane.SystemTests.Packaging;

/// <summary>Where things are.</summary>
internal static class PackageFiles
{
    /// <summary>src/Vtep/packaging.</summary>
    public static string Folder { get; } = Path.Combine(NativeProgram.Root, "src/Vtep/packaging");

    /// <summary>The text of one of the sources.</summary>
    public static string Text(string path) => File.ReadAllText(Path.Combine(Folder, path));

    /// <summary>Builds the package of a program; gives its path.</summary>
    public static string Build(string program, string folder) =>
        Command.Run(TimeSpan.FromMinutes(3), Path.Combine(Folder, "build-deb.sh"), "--binary", program, folder).OrFail().Output.Trim();
}
