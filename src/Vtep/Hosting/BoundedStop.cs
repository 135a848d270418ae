// Stops the data plane, in bounded time: its control loop may be in the middle of a large change, a store may not answer. What isn't done by
// then the kernel does when the process ends: it closes sockets and devices, and the devices we made go with their descriptors. Own records
// in a store end with their lease.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Stops a data plane when disposed of.</summary>
internal sealed class BoundedStop(DataPlane dataPlane, ILogger log) : IAsyncDisposable
{
    /// <summary>Longest time; longer than a store is waited for (EtcdTimings.Withdrawal), and with the control API's last second within five.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    public async ValueTask DisposeAsync()
    {
        Task stopped = dataPlane.DisposeAsync().AsTask();
        if (await Task.WhenAny(stopped, Task.Delay(Limit)) == stopped)
            await stopped;
        else
            log.StoppedLate(Limit.TotalSeconds);
    }
}
