// The machine the numbers are from.

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Describes this machine.</summary>
/// <param name="Kernel">Release.</param>
/// <param name="Cpu">Model name.</param>
/// <param name="Cores">Processors.</param>
/// <param name="DotNet">Runtime.</param>
/// <param name="MemoryMiB">Of the machine.</param>
/// <param name="Date">When the bench began, UTC.</param>
internal sealed record Machine(string Kernel, string Cpu, int Cores, string DotNet, long MemoryMiB, string Date)
{
    public static Machine Read() => new(
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Field("/proc/cpuinfo", "model name"),
        Environment.ProcessorCount,
        RuntimeInformation.FrameworkDescription,
        long.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / 1024,
        DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture));

    /// <summary>With the noise seen and how long was measured.</summary>
    public JsonObject ToJson(Noise noise, int rounds, double seconds) => new()
    {
        ["kernel"] = Kernel,
        ["cpu"] = Cpu,
        ["cores"] = Cores,
        ["dotnet"] = DotNet,
        ["memoryMiB"] = MemoryMiB,
        ["date"] = Date,
        ["rounds"] = rounds,
        ["seconds"] = seconds,
        ["noise"] = new JsonObject
        {
            ["othersBusyPercent"] = JsonReport.Spread(noise.BusyPercent),
            ["calibrationMs"] = JsonReport.Spread(noise.Calibration),
            ["stealPercent"] = Math.Round(noise.StealPercent, 2),
            ["loadAverageAtStart"] = noise.LoadAtStart,
        },
    };

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown 0";
}
