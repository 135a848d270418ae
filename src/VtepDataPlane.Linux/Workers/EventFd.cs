// eventfd(2): a counter one can poll. Wakes a thread that sleeps in epoll_wait or poll. Any thread may signal, at any time: also a port of a program's
// own that doesn't know yet that its VTEP is closed. So closing waits for whoever is signalling: its number may be another file's afterwards.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Workers;

/// <summary>A wake-up.</summary>
internal sealed unsafe class EventFd : IDisposable
{
    private readonly Lock _gate = new();
    private int _fd;

    /// <summary>Opens one that isn't signalled.</summary>
    public EventFd()
    {
        _fd = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
        if (_fd < 0)
            throw new VtepException($"An eventfd can't be opened: {Errno.Describe(LibC.errno)}. Raise the limit of open files.");
    }

    /// <summary>For poll and epoll.</summary>
    public int Descriptor => _fd;

    /// <summary>Makes it readable; does nothing once it is closed.</summary>
    public void Signal()
    {
        ulong one = 1;
        lock (_gate) // for the time of one system call
        {
            if (_fd >= 0)
                _ = LibC.write(_fd, &one, sizeof(ulong)); // EAGAIN: the counter is full, so it is signalled already
        }
    }

    /// <summary>Makes it unreadable until the next signal.</summary>
    public void Clear()
    {
        ulong count;
        _ = LibC.read(_fd, &count, sizeof(ulong)); // EAGAIN: it wasn't signalled
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_fd >= 0)
                _ = LibC.close(_fd);
            _fd = -1;
        }
    }
}
