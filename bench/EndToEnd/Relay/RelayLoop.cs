// The loop of a relay: one thread sleeps in epoll_wait(2) until the TAP or the socket has something, serves each once, and sleeps
// again, as a worker of the VTEP does.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Relay;

/// <summary>A relay between a TAP and a UDP socket.</summary>
internal abstract unsafe class RelayLoop(int tap, int socket)
{
    private const int EventsPerWake = 2;

    protected int TapDescriptor => tap;

    protected int SocketDescriptor => socket;

    /// <summary>Makes the relay that the options ask for; its devices exist when this returns.</summary>
    public static RelayLoop Open(RelayOptions options) => options.Mode == RelayMode.Plain ? PlainRelay.Open(options) : CeilingRelay.Open(options);

    /// <summary>Never returns: a relay ends by a signal.</summary>
    public void Run()
    {
        int epoll = LibC.epoll_create1(LibC.EPOLL_CLOEXEC);
        Watch(epoll, tap);
        Watch(epoll, socket);
        epoll_event* events = stackalloc epoll_event[EventsPerWake];
        while (true)
        {
            // The array lives on this stack frame; the count given is its length.
            int count = LibC.epoll_wait(epoll, events, EventsPerWake, -1);
            for (int i = 0; i < count; i++)
                Serve(events[i].data.fd);
        }
    }

    protected abstract void ServeTap();

    protected abstract void ServeSocket();

    private void Serve(int descriptor)
    {
        if (descriptor == tap)
            ServeTap();
        else
            ServeSocket();
    }

    private static void Watch(int epoll, int descriptor)
    {
        epoll_event request = default;
        request.events = LibC.EPOLLIN;
        request.data.fd = descriptor;

        // The structure lives on this stack frame for the time of the call.
        if (LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_ADD, descriptor, &request) < 0)
            throw new BenchException($"A descriptor can't be polled: {Errno.Describe(LibC.errno)}.");
    }
}
