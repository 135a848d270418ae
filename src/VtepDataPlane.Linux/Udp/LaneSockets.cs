// The sockets of one lane for one local address: one that receives, and for each source port of the VTEP one that sends. All
// lanes have the same source ports, so a flow keeps its source port whichever lane sends it. A second set of send sockets, for
// datagrams without DF, is opened when the first such datagram comes. A change of the local address makes a new object; the old
// one is closed when no worker uses it any more.
//
// Opened and closed by the control loop; the sockets without DF are opened by the lane's worker.

using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>One lane's sockets.</summary>
internal sealed class LaneSockets
{
    private const int None = -1;

    private readonly UnderlayConfig _config;
    private readonly ushort[] _ports;
    private readonly int[] _withDf;
    private readonly int[] _withoutDf;
    private readonly int _receive;
    private readonly List<PollSource> _sources = [];
    private Worker? _worker;
    private UdpQueue? _queue;

    private LaneSockets(UnderlayConfig config, InetAddress local, ushort[] ports, int receive, int[] withDf)
    {
        _config = config;
        Local = local;
        _ports = ports;
        _receive = receive;
        _withDf = withDf;
        _withoutDf = new int[ports.Length];
        Array.Fill(_withoutDf, None);
    }

    /// <summary>The address they are bound to.</summary>
    public InetAddress Local { get; }

    /// <summary>The socket that receives.</summary>
    public int Receive => _receive;

    /// <summary>The source ports.</summary>
    public ReadOnlySpan<ushort> Ports => _ports;

    /// <summary>Takes ownership of open sockets.</summary>
    /// <param name="config">For sockets opened later.</param>
    /// <param name="local">What all are bound to.</param>
    /// <param name="ports">The source ports.</param>
    /// <param name="receive">The socket that receives.</param>
    /// <param name="withDf">One socket for each source port.</param>
    public static LaneSockets Adopt(UnderlayConfig config, in InetAddress local, ushort[] ports, int receive, int[] withDf) =>
        new(config, local, ports, receive, withDf);

    /// <summary>Has a worker poll them for a queue.</summary>
    public void Serve(Worker worker, UdpQueue queue)
    {
        _worker = worker;
        _queue = queue;
        Poll(new UnderlaySource(_receive, queue));
        foreach (int fd in _withDf)
            Poll(new ErrorSource(fd, queue));
    }

    /// <summary>The worker polls them no more. It may still be in a call.</summary>
    public void Withdraw() => _sources.ForEach(source => _worker?.Remove(source));

    /// <summary>Closes all. No worker uses them any more.</summary>
    public void Close()
    {
        UdpSocket.Close(_receive);
        foreach (int fd in _withDf)
            UdpSocket.Close(fd);
        foreach (int fd in _withoutDf)
            UdpSocket.Close(fd);
    }

    /// <summary>Worker: the socket for a source port and DF. A negated errno when it can't be opened.</summary>
    public int Send(int bucket, bool dontFragment)
    {
        if (dontFragment)
            return _withDf[bucket];
        int fd = _withoutDf[bucket];
        return fd != None ? fd : OpenWithoutDf(bucket);
    }

    private int OpenWithoutDf(int bucket)
    {
        int fd = UdpSocket.OpenSend(Local, _ports[bucket], isFirst: false, dontFragment: false, _config.UdpChecksum);
        if (fd < 0)
            return fd;
        _withoutDf[bucket] = fd;
        if (_queue is not null)
            Poll(new ErrorSource(fd, _queue));
        return fd;
    }

    private void Poll(PollSource source)
    {
        _worker?.Add(source);
        _sources.Add(source);
    }
}
