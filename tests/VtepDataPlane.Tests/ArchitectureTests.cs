// The direction of dependencies, checked on the source: inside the core by folder, between projects by reference. Whoever adds an
// arrow that points the wrong way learns it here.

using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace VtepDataPlane.Tests;

public sealed partial class ArchitectureTests
{
    // each folder may use those before it, and itself; Ports and Underlay stand side by side. Diagnostics looks at everything, controllers too
    private static readonly string[][] s_layers =
        [["Wire"], ["Frames"], ["Offload"], ["Ports", "Underlay"], ["Forwarding"], ["Discovery"], ["Diagnostics"], ["Running"]];

    private static string SourceRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "src"));

    [Test]
    public void InsideTheCore_EveryFolderUsesOnlyWhatStandsBeforeIt()
    {
        var wrong = new List<string>();
        foreach (string folder in s_layers.SelectMany(layer => layer))
        {
            string path = Path.Combine(SourceRoot(), "VtepDataPlane", folder);
            if (!Directory.Exists(path))
                continue;
            foreach (string file in Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories))
            {
                foreach (Match use in CoreNamespace().Matches(File.ReadAllText(file)))
                {
                    if (!MayUse(folder, use.Groups[1].Value))
                        wrong.Add($"{folder}/{Path.GetFileName(file)} uses {use.Groups[1].Value}");
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    private static bool MayUse(string folder, string used)
    {
        int own = Array.FindIndex(s_layers, layer => layer.Contains(folder));
        int other = Array.FindIndex(s_layers, layer => layer.Contains(used));
        return folder == used || (other >= 0 && other < own);
    }

    [Test]
    public void BetweenProjects_NothingPointsSidewaysOrBack()
    {
        var allowed = new Dictionary<string, string[]>
        {
            ["VtepDataPlane"] = [],
            ["VtepDataPlane.Linux"] = ["VtepDataPlane"],
            ["VtepDataPlane.Etcd"] = ["VtepDataPlane"],
            ["Vtep"] = ["VtepDataPlane", "VtepDataPlane.Linux", "VtepDataPlane.Etcd"],
        };
        foreach (string project in Directory.EnumerateFiles(SourceRoot(), "*.csproj", SearchOption.AllDirectories))
        {
            IEnumerable<string> references = ProjectReference().Matches(File.ReadAllText(project)).Select(match => match.Groups[1].Value);
            Assert.That(references, Is.SubsetOf(allowed[Path.GetFileNameWithoutExtension(project)]), project);
        }
    }

    [Test]
    public void TheCore_HasNoUnsafeCode_AndCallsNoNativeFunction()
    {
        string core = Path.Combine(SourceRoot(), "VtepDataPlane");
        Assert.That(File.ReadAllText(Path.Combine(core, "VtepDataPlane.csproj")), Does.Contain("<AllowUnsafeBlocks>false</AllowUnsafeBlocks>"));
        Assert.That(typeof(Vtep).Assembly.GetTypes().SelectMany(type => type.GetMethods((BindingFlags)(-1)))
            .Where(method => method.DeclaringType?.Assembly == typeof(Vtep).Assembly && method.Attributes.HasFlag(MethodAttributes.PinvokeImpl)), Is.Empty);
    }

    [GeneratedRegex(@"^using (?:static )?VtepDataPlane\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex CoreNamespace();

    [GeneratedRegex(@"ProjectReference Include=""[^""]*?([\w.]+)\.csproj""")]
    private static partial Regex ProjectReference();
}
