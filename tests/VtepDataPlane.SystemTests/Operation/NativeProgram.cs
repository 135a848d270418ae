// The ahead-of-time build of vtep: published once for all tests that want it, with the command a user would type. When nothing has
// changed since the last time (tests/run.sh publishes before the tests) that takes seconds, otherwise about a minute. Warnings of
// the trimmer and of the compiler are errors, so a publish that succeeds had none.

using System.Globalization;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>The published program.</summary>
internal static class NativeProgram
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly Lazy<string> s_executable = new(Publish);

    /// <summary>The repository.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../.."));

    /// <summary>Path of the program; the first to ask waits for it to be made.</summary>
    public static string Executable => s_executable.Value;

    /// <summary>The machine code of those functions whose symbols contain a text, as objdump(1) writes it, by symbol.</summary>
    /// <remarks>The program itself has no symbols: they stand in a file beside what was linked, at the same addresses.</remarks>
    public static IReadOnlyDictionary<string, string> Disassemble(string symbol)
    {
        Requirements.Need("nm", "objdump");
        string symbols = Path.Combine(Root, "artifacts/bin/Vtep/release_linux-x64/native/vtep.dbg");
        return Command.Run("nm", "--print-size", symbols).OrFail().Output.Split('\n')
            .Select(line => line.Split(' '))
            .Where(words => words is [_, _, "t" or "T", { } name] && name.Contains(symbol, StringComparison.Ordinal))
            .ToDictionary(words => words[3], words => Disassemble(Number(words[0]), Number(words[1])));
    }

    private static string Disassemble(long address, long size) =>
        Command.Run("objdump", "--disassemble", $"--start-address={address}", $"--stop-address={address + size}", Executable).OrFail().Output;

    private static long Number(string hex) => long.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string Publish()
    {
        Requirements.Need("clang");
        CommandResult result = Command.Run(s_limit, "dotnet", "publish", Path.Combine(Root, "src/Vtep"), "-c", "Release", "-r", "linux-x64", "--nologo");
        TestContext.Progress.WriteLine(result.Output);
        result.OrFail();
        Assert.That(result.Output, Does.Not.Contain("warning"));
        return Path.Combine(Root, "artifacts/publish/Vtep/release_linux-x64/vtep");
    }
}
