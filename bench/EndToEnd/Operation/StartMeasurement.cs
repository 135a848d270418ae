// From the start of the process to READY=1, both builds in turn, ten domains each. The time of `ip netns exec`, 2 to 3 ms, is in it.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Start to READY.</summary>
internal sealed class StartMeasurement() : Measurement("start-ready")
{
    private const int Rounds = 9;

    /// <inheritdoc/>
    public override string Note => $"From starting the process to READY=1 on its notification socket, ten domains with a TAP and ten peers each; {Rounds} starts of each build in turn.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var topology = new Topology(new UnderlayPlan());
        Series jit = new(), native = new();
        for (int round = 0; round < Rounds; round++)
        {
            jit.Add(Start(Entrants.VtepProgram, topology));
            native.Add(Start(Entrants.NativeProgram, topology));
        }

        tell(Figure.Median("compiled just in time", "ms", jit, Target.AtMost(1000)));
        tell(Figure.Median("native", "ms", native, Target.AtMost(300)));
    }

    private static double Start(string program, Topology topology)
    {
        using var vtep = new OperatedVtep(program, topology.One, topology.Two);
        return vtep.AwaitReady();
    }
}
