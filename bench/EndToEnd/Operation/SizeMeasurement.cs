// How large the program is that an operator installs.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Measurements;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>The size of the native build.</summary>
internal sealed class SizeMeasurement() : Measurement("size")
{
    private const double Mebibyte = 1 << 20;

    /// <inheritdoc/>
    public override string Note => "The natively compiled program, one file that needs no .NET.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell) =>
        tell(new Figure("native program", "MiB", new FileInfo(Entrants.NativeProgram).Length / Mebibyte, Target.AtMost(30)));
}
