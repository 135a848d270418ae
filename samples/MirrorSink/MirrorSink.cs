// Receives the datagrams and keeps the counts. What is read from the socket is handed to MirrorCapture, which has a thread of its own to write the file:
// a slow disk loses frames of the capture, and says how many; it never makes the socket's buffer overflow. What overflows all the same, because datagrams
// come faster than one task reads them, the kernel counts (the drops of /proc/net/udp6), and that is told as well.
//
// One task reads; nobody else touches the counts.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Samples;

/// <summary>The end of a mirror. One task.</summary>
public sealed class MirrorSink : IDisposable
{
    /// <summary>Counted one by one; whoever sends more has no mirror in mind, and the rest is counted together.</summary>
    private const int MaxVnis = 4096;

    private const int LongestDatagram = 65_536;
    private const int ReceiveBuffer = 8 * 1024 * 1024; // the kernel gives what net.core.rmem_max allows

    private readonly MirrorSinkOptions _options;
    private readonly Socket _socket = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
    private readonly SortedDictionary<int, VniCount> _vnis = [];
    private readonly SortedDictionary<DropReason, long> _malformed = [];
    private long _frames;
    private long _furtherVnis;

    private MirrorSink(MirrorSinkOptions options)
    {
        _options = options;
        _socket.ReceiveBufferSize = ReceiveBuffer;
        _socket.Bind(new IPEndPoint(IPAddress.IPv6Any, options.Port));
    }

    private int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>Captures until it is cancelled or has enough, then tells the counts.</summary>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> RunAsync(MirrorSinkOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool isPiped = options.File == "-";
        TextWriter told = isPiped ? Console.Error : Console.Out;
        try
        {
            using var sink = new MirrorSink(options);
            using Stream file = isPiped ? Console.OpenStandardOutput() : File.Create(options.File);
            using var capture = new MirrorCapture(file, options.SnapLength);
            told.WriteLine($"Capturing VXLAN on UDP port {sink.Port}.");
            await sink.ReceiveAsync(capture, cancellation).ConfigureAwait(false);
            string? failure = capture.Close(sink._vnis.Values);
            sink.Tell(told);
            if (failure is not null)
                Console.Error.WriteLine($"The capture could not be written to the end: {failure}");
            return failure is null ? 0 : 1;
        }
        catch (SocketException e)
        {
            Console.Error.WriteLine($"UDP port {options.Port} can't be opened: {e.Message}. Is there a VTEP on it (ss -lunp)? Choose another with --port.");
            return 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{options.File} can't be written: {e.Message}");
            return 1;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAsync(MirrorCapture capture, CancellationToken cancellation)
    {
        byte[] datagram = new byte[LongestDatagram];
        var sender = new SocketAddress(AddressFamily.InterNetworkV6);
        try
        {
            while (_frames < _options.Count && !capture.HasFailed)
            {
                int length = await _socket.ReceiveFromAsync(datagram, SocketFlags.None, sender, cancellation).ConfigureAwait(false);
                Take(datagram.AsSpan(0, length), capture);
            }
        }
        catch (OperationCanceledException)
        {
            return; // told to stop: what came until now is the capture
        }
    }

    private void Take(ReadOnlySpan<byte> datagram, MirrorCapture capture)
    {
        DropReason reason = !VxlanHeader.TryRead(datagram, out VxlanHeader header) ? DropReason.VxlanTruncated
            : !header.HasVni ? DropReason.VxlanInvalidHeader
            : datagram.Length < VxlanHeader.Size + EthernetHeader.Size ? DropReason.FrameTruncated
            : DropReason.None;
        if (reason != DropReason.None)
        {
            _malformed[reason] = _malformed.GetValueOrDefault(reason) + 1;
            return;
        }

        _frames++;
        if (CountOf(header.Vni.Value) is not { } count)
            return;
        count.Received++;
        if (!capture.TryAdd(header.Vni.Value, datagram[VxlanHeader.Size..]))
            count.Lost++;
    }

    private VniCount? CountOf(int vni)
    {
        if (_vnis.TryGetValue(vni, out VniCount? count))
            return count;
        if (_vnis.Count == MaxVnis)
        {
            _furtherVnis++;
            return null;
        }

        return _vnis[vni] = new VniCount(vni);
    }

    private void Tell(TextWriter told)
    {
        foreach (VniCount count in _vnis.Values)
            told.WriteLine($"VNI {count.Vni}: {count.Received} frames{(count.Lost > 0 ? $", {count.Lost} of them lost because the file was written too slowly" : "")}");
        if (_furtherVnis > 0)
            told.WriteLine($"VNIs beyond the first {MaxVnis}: {_furtherVnis} frames, not captured");
        foreach ((DropReason reason, long datagrams) in _malformed)
            told.WriteLine($"{reason.Name()}: {datagrams} datagrams");
        if (KernelDrops() is > 0 and var drops)
            told.WriteLine($"Lost in the socket's buffer: {drops} datagrams; raise net.core.rmem_max");
    }

    // /proc/net/udp6, see proc(5): the second column is the local address and port in hexadecimal, the last the datagrams dropped
    private long KernelDrops()
    {
        string suffix = $":{Port:X4}";
        try
        {
            return File.ReadLines("/proc/net/udp6").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns.Length > 12 && columns[1].EndsWith(suffix, StringComparison.Ordinal))
                .Sum(columns => long.Parse(columns[^1], NumberStyles.None, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return 0; // no /proc: then it isn't known
        }
    }
}

/// <summary>The frames of one VNI.</summary>
internal sealed class VniCount(int vni)
{
    public int Vni => vni;

    public long Received { get; set; }

    public long Lost { get; set; }
}
