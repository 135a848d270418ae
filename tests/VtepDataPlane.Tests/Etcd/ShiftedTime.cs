// The machine's clock with a jump in it: how time looks to a process that was stopped for a while. Timers run as they would.

namespace VtepDataPlane.Tests.Etcd;

/// <summary>A clock that can be put forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shift;

    public void Jump(TimeSpan span) => Interlocked.Add(ref _shift, (long)(span.TotalSeconds * TimestampFrequency));

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _shift);
}
