// A folder of a test's own, and the way to the files of the repository.

namespace VtepDataPlane.Tests.Program;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("vtep-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class Repository
{
    public static string File(string path)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "VtepDataPlane.sln")))
                return Path.Combine(folder.FullName, path);
        }

        throw new FileNotFoundException($"No repository around {AppContext.BaseDirectory}.");
    }
}
