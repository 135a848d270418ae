// Vtep: who drives it. A Vtep by itself is driven by its maker, who serves lanes and calls Tick, Attend and their like, step by step. A running VTEP
// (IRunningVtep) does all that with threads of its own: it takes the control over when it makes the Vtep, and the same calls by anybody else are refused, for a
// program that closed a Vtep under running lanes, or changed it beside the control loop, would break what it can't see.

using VtepDataPlane.Forwarding;

namespace VtepDataPlane;

/// <content>Control.</content>
public sealed partial class Vtep
{
    private bool _isRunning;

    /// <summary>A running VTEP drives it from now on, and nobody else.</summary>
    internal VtepControl TakeControl()
    {
        Volatile.Write(ref _isRunning, true);
        return new VtepControl(this);
    }

    private void ThrowIfRunning()
    {
        if (Volatile.Read(ref _isRunning))
        {
            throw new InvalidOperationException(
                "This Vtep belongs to a running VTEP, whose control loop drives it: change it with EditAsync and its like, and dispose of the running VTEP.");
        }
    }

    /// <summary>Drives a Vtep. As the public members of the same names.</summary>
    internal sealed class VtepControl(Vtep vtep)
    {
        public void Apply(VtepConfig next, long nowMilliseconds) => vtep.ApplyNow(next, nowMilliseconds);

        public void Tick(long nowMilliseconds) => vtep.TickNow(nowMilliseconds);

        public void Attend(long nowMilliseconds) => vtep.AttendNow(nowMilliseconds);

        public void UnderlayChanged() => vtep.ReadPaths();

        public void PortChanged(AccessPort port) => vtep.FollowPort(port);

        public void Close() => vtep.Close();
    }
}
