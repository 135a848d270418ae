// All contenders, in the order of the report.

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>The contenders by name.</summary>
internal static class Entrants
{
    // Both lie where the build and `dotnet publish` of this repository put them, seen from this program's own folder.
    private const string Artifacts = "../../..";
    private const string JustInTime = "bin/Vtep/release/vtep";
    private const string Native = "publish/Vtep/release_linux-x64/vtep";

    /// <summary>This project's program, compiled just in time.</summary>
    public static string VtepProgram => Program(JustInTime);

    /// <summary>This project's program, compiled natively.</summary>
    /// <exception cref="BenchException">There is none.</exception>
    public static string NativeProgram => NativeProblem(Program(Native)) is { } problem ? throw new BenchException(problem) : Program(Native);

    /// <summary>Those named, comma-separated; all for null.</summary>
    /// <param name="names">Contender names.</param>
    /// <param name="aotProblem">Why there is no natively compiled program; null or empty: look for it.</param>
    public static IReadOnlyList<Contender> Named(string? names, string? aotProblem)
    {
        string jit = VtepProgram, aot = Program(Native);
        Contender[] all =
        [
            new VtepContender("vtep", jit, File.Exists(jit) ? null : $"There is no artifacts/{JustInTime}: run 'dotnet build -c Release'."),
            new VtepContender("vtep-aot", aot, string.IsNullOrEmpty(aotProblem) ? NativeProblem(aot) : aotProblem),
            new KernelContender(),
            new RelayContender("ceiling", isCeiling: true),
            new RelayContender("relay", isCeiling: false),
            new OvsContender(),
            new WireGuardContender(),
        ];
        if (names is null)
            return all;
        string[] words = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = words.FirstOrDefault(word => all.All(contender => contender.Name != word));
        return unknown is null ? [.. all.Where(contender => words.Contains(contender.Name))]
            : throw new BenchException($"There is no contender '{unknown}'. There are: {string.Join(", ", all.Select(contender => contender.Name))}.");
    }

    private static string Program(string place) => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, Artifacts, place));

    // A program with its assembly beside it is a starter of the just-in-time build, whatever folder it lies in.
    private static string? NativeProblem(string program)
    {
        if (!File.Exists(program))
            return $"There is no artifacts/{Native}: run 'dotnet publish src/Vtep -c Release -r linux-x64'.";
        return File.Exists($"{program}.dll") ? "What 'dotnet publish src/Vtep -c Release -r linux-x64' makes isn't compiled natively." : null;
    }
}
