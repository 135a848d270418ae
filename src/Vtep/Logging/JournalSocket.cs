// The journal's socket. Sending never waits: an entry that the socket doesn't take goes to standard error, which under systemd leads to
// the journal as well, as a line with its priority in front (sd-daemon(3)), without the fields. So nothing is lost when the journal is
// restarted, slow, or not to be seen from inside a sandbox. The socket is looked up anew with each entry: after a restart it is another.
//
// Any thread; the kernel takes a datagram whole.

using System.Net.Sockets;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Sends entries.</summary>
internal sealed class JournalSocket : IDisposable
{
    /// <summary>Where the journal listens.</summary>
    public const string UsualPath = "/run/systemd/journal/socket";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    private readonly UnixDomainSocketEndPoint _journal;
    private readonly TextWriter _instead;

    /// <summary>A socket towards the journal.</summary>
    /// <param name="path">Where it listens.</param>
    /// <param name="instead">Standard error.</param>
    public JournalSocket(string path, TextWriter instead)
    {
        _journal = new UnixDomainSocketEndPoint(path);
        _instead = instead;
    }

    /// <summary>Sends an entry; one that is too long is cut to its message.</summary>
    /// <param name="entry">The entry, whole.</param>
    /// <param name="cut">The entry without what makes it long.</param>
    /// <param name="line">What standard error gets when the journal takes neither.</param>
    public void Send(JournalEntry entry, Func<JournalEntry> cut, string line)
    {
        SocketError error = TrySend(entry);
        if (error == SocketError.MessageSize)
            error = TrySend(cut());
        if (error != SocketError.Success)
            _instead.WriteLine(line);
    }

    public void Dispose() => _socket.Dispose();

    private SocketError TrySend(JournalEntry entry)
    {
        try
        {
            _socket.SendTo(entry.Datagram.Span, SocketFlags.None, _journal);
            return SocketError.Success;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode;
        }
    }
}
