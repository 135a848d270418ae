// The public API of the packages, as recorded: what a program that uses them may lean on. Whoever changes it sees here what changes, and
// approves it by a commit that holds the new record.

using System.Reflection;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using PublicApiGenerator;
using VtepDataPlane.Linux;

namespace VtepDataPlane.Tests.PublicApi;

public sealed class PublicApiTests
{
    private const string Approval = "VTEP_APPROVE_PUBLIC_API";

    private static readonly Assembly[] s_packages = [typeof(Vtep).Assembly, typeof(LinuxVtep).Assembly];

    // Attributes of the assembly tell of the build: friends, repository, commit.
    private static readonly ApiGeneratorOptions s_options = new() { IncludeAssemblyAttributes = false };

    [TestCaseSource(nameof(s_packages))]
    public void ThePublicApi_IsWhatWasApproved(Assembly package)
    {
        string name = package.GetName().Name!;
        string path = PathOf($"{name}.approved.txt");
        string actual = package.GeneratePublicApi(s_options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Approval) == "1")
            File.WriteAllText(path, actual);

        string approved = File.Exists(path) ? File.ReadAllText(path) : "";

        Assert.That(Differences(approved, actual), Is.Empty, $"""
            The public API of {name} isn't what {path} says (- approved, + now). If it shall be so, approve it and commit the file:
            {Approval}=1 dotnet test tests/VtepDataPlane.Tests -c Release --filter FullyQualifiedName~PublicApiTests
            """);
    }

    // Lines that only one of them has, which is enough to see what happened: a member is one line.
    private static List<string> Differences(string approved, string actual)
    {
        string[] before = approved.Split('\n');
        string[] after = actual.Split('\n');
        List<string> lines = [.. before.Except(after).Select(line => "-" + line), .. after.Except(before).Select(line => "+" + line)];
        return lines.Count == 0 && approved != actual ? ["the same lines in another order"] : lines;
    }

    private static string PathOf(string file, [CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, file);
}
