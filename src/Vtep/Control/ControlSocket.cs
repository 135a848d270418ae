// The unix socket the control API listens on. A socket's file outlives its process when that is killed, so a file that is there
// may be stale: connecting tells.
//
// Everybody may connect (0666, in a directory of 0755): a file has one group, and two groups may ask (ControlAccess). Who it is
// that connected says the kernel, and ControlDoor decides by that what he gets; a stranger gets a refusal with the remedy rather
// than a "permission denied" without. A directory that was made by somebody else keeps its mode, and may be narrower.

using System.Net.Sockets;

namespace VtepDataPlane.Daemon.Control;

/// <summary>The place of the control socket in the file system, ours until disposed of.</summary>
internal sealed class ControlSocket : IDisposable
{
    private const UnixFileMode SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const string Remedy = "Give control.socket a path this user may write to.";

    private readonly string? _madeDirectory;
    private bool _isBound;

    private ControlSocket(string path, string? madeDirectory)
    {
        Path = path;
        _madeDirectory = madeDirectory;
    }

    public string Path { get; }

    /// <summary>Makes the directory if it is missing, and removes the socket of a process that is gone.</summary>
    /// <exception cref="VtepException">Another process listens there, or the path can't be used.</exception>
    public static ControlSocket Claim(string path)
    {
        try
        {
            string? made = MakeDirectory(System.IO.Path.GetDirectoryName(path)!);
            RemoveStale(path);
            return new ControlSocket(path, made);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new VtepException($"The control socket {path} can't be made: {error.Message.TrimEnd('.')}. {Remedy}", error);
        }
    }

    /// <summary>Binds, and sets the mode while nobody can connect yet: that takes listen(2), which comes later.</summary>
    public Socket Bind()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(Path));
            _isBound = true;
            File.SetUnixFileMode(Path, SocketMode);
            return socket;
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new VtepException($"The control socket {Path} can't be bound: {error.Message.TrimEnd('.')}. {Remedy}", error);
        }
    }

    /// <summary>Removes what was made.</summary>
    public void Dispose()
    {
        if (_isBound)
            File.Delete(Path);
        if (_madeDirectory is not null && Directory.Exists(_madeDirectory) && !Directory.EnumerateFileSystemEntries(_madeDirectory).Any())
            Directory.Delete(_madeDirectory);
    }

    private static string? MakeDirectory(string directory)
    {
        if (Directory.Exists(directory))
            return null;
        Directory.CreateDirectory(directory, DirectoryMode);
        File.SetUnixFileMode(directory, DirectoryMode); // whatever the umask
        return directory;
    }

    private static void RemoveStale(string path)
    {
        if (!Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException error)
        {
            throw new VtepException(
                $"The control socket {path} can't be made, because something else is there: {error.Message}. "
                + "Remove it, or give control.socket another path.", error);
        }

        throw new VtepException($"Another vtep is listening on {path}. Stop it, or give control.socket another path.");
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    // connect(2) to a regular file, a pipe or a directory is refused as well; only a socket can't be opened (ENXIO, open(2)).
    private static bool IsSocket(string path)
    {
        if (Directory.Exists(path))
            return false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
