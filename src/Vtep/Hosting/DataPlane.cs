// A running VTEP as the program sees it: the facade, its clock, and how to change and to stop it. On Linux it is made of a
// LinuxVtep; a test makes it of a Vtep on an in-memory host. A data plane that fails by itself ends the process.

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>A running VTEP.</summary>
/// <param name="Vtep">The facade.</param>
/// <param name="Now">The clock all times given to the facade are of, in milliseconds.</param>
/// <param name="ApplyAsync">Applies another configuration; all or nothing.</param>
/// <param name="StopAsync">Drains and removes everything it made.</param>
internal sealed record DataPlane(Vtep Vtep, Func<long> Now, Func<VtepConfig, Task> ApplyAsync, Func<ValueTask> StopAsync) : IAsyncDisposable
{
    /// <summary>Null while every worker and the control loop move; otherwise a sentence that says what stands still. Any thread, never waits.</summary>
    public Func<string?> FindStall { get; init; } = () => null;

    /// <summary>Stops it.</summary>
    public ValueTask DisposeAsync() => StopAsync();
}
