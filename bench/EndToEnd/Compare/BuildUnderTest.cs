// A build of vtep, loaded beside others: a load context of its own keeps its types and its machine code apart from theirs. What is asked of it is
// by name, for it may be an older one: the VTEP in memory that `vtep bench` measures, and a batch through it each way.

using System.Reflection;
using System.Runtime.Loader;

namespace VtepDataPlane.EndToEnd.Compare;

/// <summary>One build of the data plane.</summary>
internal sealed class BuildUnderTest
{
    private const string VtepType = "VtepDataPlane.Daemon.Bench.BenchVtep";
    private const int Stations = 65_536;

    private readonly Type _type;
    private readonly object _vtep;

    /// <summary>Loads a build and has its VTEP learn its stations.</summary>
    /// <param name="folder">Where its vtep.dll is.</param>
    public BuildUnderTest(string folder)
    {
        string program = Path.GetFullPath(Path.Combine(folder, "vtep.dll"));
        if (!File.Exists(program))
            throw new BenchException($"There is no {program}. Build it: dotnet build src/Vtep -c Release");
        _type = new Context(Path.GetDirectoryName(program)!).LoadFromAssemblyPath(program).GetType(VtepType)
            ?? throw new BenchException($"{program} has no {VtepType}: it is too old, or too new, to be compared with.");
        _vtep = Activator.CreateInstance(_type, Stations)!;
    }

    /// <summary>A batch through it; returns its frames.</summary>
    /// <param name="name">Encapsulate or Decapsulate.</param>
    public Func<int> Walk(string name) => _type.GetMethod(name)!.CreateDelegate<Func<int>>(_vtep);

    private sealed class Context(string folder) : AssemblyLoadContext
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            string file = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
        }
    }
}
