// What a VTEP with threads of its own is to a program, whatever machine it runs on: LinuxVtep moves frames of TAP devices over UDP sockets,
// InProcessVtep those of ports and underlays that live in the program. What both can do is added in VtepChanges.cs.

namespace VtepDataPlane;

/// <summary>
/// A VTEP that runs: its lanes and its control loop have threads. All members may be called from any thread. Disposing it stops the threads, and gives
/// back ports, devices and descriptors.
/// </summary>
public interface IRunningVtep : IAsyncDisposable
{
    /// <summary>The VTEP: its tables, counters, snapshots and events.</summary>
    Vtep Vtep { get; }

    /// <summary>The monotonic clock it runs by, milliseconds.</summary>
    long NowMilliseconds { get; }

    /// <summary>Changes the configuration: changes are made on the control loop, one after the other, each of what the one before left.</summary>
    /// <param name="edit">
    /// Makes the next configuration of the one in force. Called once, on the control loop: it must not wait for anything, and what it throws ends the
    /// task.
    /// </param>
    /// <returns>Ends when the change is in force: lanes forward by it.</returns>
    /// <exception cref="VtepException">It can't be applied; the message says what, why and the remedy. The old one is still in force.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    Task EditAsync(Func<VtepConfig, VtepConfig> edit);
}
