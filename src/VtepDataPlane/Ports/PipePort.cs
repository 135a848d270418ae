// An access port over a duplex pipe (System.IO.Pipelines): a virtual machine monitor, a protocol stack or a fuzzer in this process is a host on
// the segment, without a device, without rights. Frames stand behind their lengths (FramePipe), as QEMU's stream sockets have them, so with a
// pipe over a socket (PipeReader.Create, PipeWriter.Create) the host may be a virtual machine as well.
//
//   host's writer --> pipe --> PipeFrameReader --> batch --> forwarder --> PipePortQueue.Send --> PipeFrameWriter --> pipe --> host's reader
//
// One lane owns the pipe, for a pipe has one reader and one writer. It reads frames where they lie in the pipe and copies each once, into its
// batch's slot; when nothing is there it leaves a callback with the pipe, which wakes the lane. Frames of other lanes go to the owner by one
// RecordRing each. No thread, no task, no frame is awaited, nothing is allocated once buffers have grown.
//
// Back-pressure. From the host: the pipe's own; a host that writes faster than the lane forwards waits in its FlushAsync. To the host: a VTEP waits for
// nobody, so while the pipe has no room (a flush that isn't done) frames are dropped, PortNoBuffer, as a full device does.
//
// Ends. Each half of the pipe ends for itself, and Problem says how:
//   the host completes its writer       what came before is forwarded; frames to the host go on
//   the host completes its reader       frames to the host count as PortDown, the port is down; frames from the host go on
//   the writer is completed with an     what the port had read before is forwarded; the port is down, and the host's reader is told the reason (of what lies
//   error, or in the midst of a frame   unread in a pipe nothing is left when it is completed with an error); a frame cut short counts as FrameTruncated
//   a length that can't be              what came before is forwarded; the frame counts as PortError; down, both ends of the host are told the reason
//   Dispose, by the VTEP                both halves are completed; the host reads what was sent, then the end. A host that was behind is told so by an exception
// Nothing of this touches another port: a port has no shared state.
//
// Threads: Queue, WakeBy, TrySetMtu, Dispose are the control loop's; queues their lanes'; the callbacks come on whatever thread the pipe calls them;
// properties may be read by any.

using System.IO.Pipelines;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>
/// An access port whose host is at the other end of a pipe. Give it to a VTEP with <see cref="PortConfig.Of"/>; the VTEP closes it. Properties may be read by
/// any thread; everything else is the VTEP's.
/// </summary>
public sealed class PipePort : IAccessPort
{
    private const int SmallestMtu = 68; // RFC 791

    private readonly PipeFrameReader _reader;
    private readonly PipeFrameWriter _writer;
    private readonly int _owner;
    private PipePortQueue[] _queues = [];
    private PipeLaneQueue[] _handing = [];
    private Action<int>? _wake;
    private string? _problem;
    private bool _isDown;
    private bool _isDisposed;
    private int _mtu;
    private int _isHanded;

    /// <summary>A port that is up.</summary>
    /// <param name="name">Unique within the VTEP, 1 to 15 bytes.</param>
    /// <param name="pipe">
    /// Where frames come from (Input) and go to (Output). The port's from now on. Its schedulers should not run the host's code inline, which would run on
    /// a lane; <see cref="CreatePair"/> makes pipes that are set up well.
    /// </param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentException">The name is empty, or an option is out of range.</exception>
    public PipePort(string name, IDuplexPipe pipe, PipePortOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(pipe);
        options ??= new PipePortOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Lane, nameof(options));
        Name = name;
        if (!IsMtu(options.Mtu, out string? why))
            throw new ArgumentOutOfRangeException(nameof(options), why);
        Mac = options.Mac;
        _mtu = options.Mtu;
        _owner = options.Lane;
        _reader = new PipeFrameReader(this, pipe.Input);
        _writer = new PipeFrameWriter(this, pipe.Output);
        OwnerMeters = new QueueMeters();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public MacAddress Mac { get; }

    /// <summary>0: no device.</summary>
    public int InterfaceIndex => 0;

    /// <inheritdoc/>
    public int Mtu => Volatile.Read(ref _mtu);

    /// <summary>Frames for the host reach it: it reads, its stream is in order, and the VTEP has the port.</summary>
    public bool IsUp => !Volatile.Read(ref _isDown) && !IsDisposed;

    /// <summary>What has ended, and why: a sentence for people. Null while all is well.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Was closed, by its VTEP as a rule.</summary>
    internal bool IsDisposed => Volatile.Read(ref _isDisposed);

    /// <summary>What the owner's queue counts.</summary>
    internal QueueMeters OwnerMeters { get; }

    /// <summary>A port, and the host's end of its pipe.</summary>
    /// <param name="name">Unique within the VTEP, 1 to 15 bytes.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <returns>
    /// The port, and what the host reads frames from (Input) and writes frames to (Output), see <see cref="FramePipe"/>. The host's continuations run on the thread
    /// pool. The host completes both when it is done.
    /// </returns>
    public static (PipePort Port, IDuplexPipe Host) CreatePair(string name, PipePortOptions? options = null)
    {
        options ??= new PipePortOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PauseBytes, 1, nameof(options));

        // Our callbacks only set a flag and wake a lane, so they may run wherever they come up; the host's may not run on a lane.
        var fromHost = new Pipe(OptionsOf(options.PauseBytes, reader: PipeScheduler.Inline, writer: PipeScheduler.ThreadPool));
        var toHost = new Pipe(OptionsOf(options.PauseBytes, reader: PipeScheduler.ThreadPool, writer: PipeScheduler.Inline));
        var port = new PipePort(name, new DuplexPipe(fromHost.Reader, toHost.Writer), options);
        return (port, new DuplexPipe(toHost.Reader, fromHost.Writer));
    }

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        while (_queues.Length <= lane)
            AddQueue(_queues.Length);
        return _queues[lane];
    }

    /// <inheritdoc/>
    public void WakeBy(Action<int> wake)
    {
        ArgumentNullException.ThrowIfNull(wake);
        if (_queues.Length <= _owner)
            End($"it is to be served by lane {_owner}, and the VTEP has {_queues.Length}: lower PipePortOptions.Lane, or raise the VTEP's workers", isDown: true);
        Volatile.Write(ref _wake, wake);
        wake(_owner); // nobody has asked yet whether something is there
    }

    /// <inheritdoc/>
    public bool TrySetMtu(int mtu, out string? why)
    {
        bool isMtu = IsMtu(mtu, out why);
        if (isMtu)
            Volatile.Write(ref _mtu, mtu);
        return isMtu;
    }

    /// <summary>Completes both halves of the pipe. Waits for nobody.</summary>
    public void Dispose()
    {
        if (IsDisposed)
            return;
        Volatile.Write(ref _isDisposed, true);
        End("it is closed", isDown: true);
        _reader.Close(reason: null);
        _writer.Close(reason: null);
    }

    // --- for the queues, and reader and writer ---

    /// <summary>Owner: reads a batch, and writes what other lanes handed over.</summary>
    internal int Receive(FrameBatch batch)
    {
        TakeHanded();
        return _reader.Receive(batch);
    }

    /// <summary>Owner: the writing half.</summary>
    internal PipeFrameWriter Writer => _writer;

    /// <summary>A lane that doesn't own the pipe has handed frames over. Any thread.</summary>
    internal void Handed()
    {
        if (Interlocked.Exchange(ref _isHanded, 1) == 0)
            Wake();
    }

    /// <summary>The pipe has something for the owner. Any thread.</summary>
    internal void Wake() => Volatile.Read(ref _wake)?.Invoke(_owner);

    /// <summary>One half has ended. The first sentence stays, unless the port was still up with it.</summary>
    /// <param name="why">What follows the port's name and a colon, without the full stop.</param>
    /// <param name="isDown">Frames for the host don't reach it any more.</param>
    /// <returns>The whole sentence.</returns>
    internal string End(string why, bool isDown)
    {
        string sentence = $"Port '{Name}': {why}.";
        if (!Volatile.Read(ref _isDown))
            Volatile.Write(ref _problem, sentence);
        if (isDown)
            Volatile.Write(ref _isDown, true);
        return sentence;
    }

    /// <summary>The stream from the host is broken: nothing goes to it either, and its reader is told why.</summary>
    internal void Break(Exception reason) => _writer.Close(reason);

    // The flag goes down before the rings are read: who hands something over afterwards raises it again.
    private void TakeHanded()
    {
        if (Volatile.Read(ref _isHanded) == 0 || _writer.IsBehind)
            return;
        Interlocked.Exchange(ref _isHanded, 0);
        bool isAllTaken = true;
        foreach (PipeLaneQueue lane in Volatile.Read(ref _handing))
            isAllTaken &= lane.TryMoveTo(_writer);
        _writer.Flush();
        if (!isAllTaken)
            Volatile.Write(ref _isHanded, 1); // the flush that isn't done wakes the owner
    }

    private void AddQueue(int lane)
    {
        PipePortQueue queue = lane == _owner ? new PipeOwnerQueue(this) : new PipeLaneQueue(this);
        if (queue is PipeLaneQueue handing)
            Volatile.Write(ref _handing, [.. _handing, handing]);
        _queues = [.. _queues, queue];
    }

    private bool IsMtu(int mtu, out string? why)
    {
        bool isMtu = mtu is >= SmallestMtu and <= ushort.MaxValue;
        why = isMtu ? null : $"Port '{Name}': an MTU of {mtu} bytes can't be: it is {SmallestMtu} to {ushort.MaxValue}.";
        return isMtu;
    }

    // Large segments, so that few frames lie across two.
    private static PipeOptions OptionsOf(int pause, PipeScheduler reader, PipeScheduler writer) => new(
        readerScheduler: reader, writerScheduler: writer, pauseWriterThreshold: pause, resumeWriterThreshold: Math.Max(pause / 2, 1),
        minimumSegmentSize: 64 * 1024, useSynchronizationContext: false);

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
