// The samples as they are built.

using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Samples;

internal static class SampleProgram
{
    /// <summary>The path of a sample's program.</summary>
    public static string Path(string name)
    {
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, $"../../{name}/release/{name}"));
        if (!File.Exists(path))
            Assert.Fail($"Needs the program at {path}: run 'dotnet build -c Release', or let tests/run.sh do it.");
        return path;
    }
}
