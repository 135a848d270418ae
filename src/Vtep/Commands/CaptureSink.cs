// Where a capture goes: blocks of pcapng to a file or a pipe, or lines of text. Whole blocks only. Not thread-safe.

using System.Buffers;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using VtepDataPlane.Diagnostics.Explain;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>A capture can't be written; the message is a sentence.</summary>
internal sealed class CaptureSinkException(string message, Exception inner) : Exception(message, inner);

/// <summary>Who read the capture from standard output is gone.</summary>
internal sealed class CaptureReaderGoneException(Exception inner) : Exception("The reader is gone.", inner);

/// <summary>Takes the blocks of a capture.</summary>
internal sealed class CaptureSink : IDisposable
{
    private const int BrokenPipe = 32; // EPIPE
    private const int StandardOutputDescriptor = 1;

    private readonly string _name;
    private readonly Stream? _stream;
    private readonly TextWriter _text;

    /// <summary>Opens it.</summary>
    /// <param name="file">A file, which is made anew; - for standard output; null: lines of text.</param>
    /// <param name="text">Where lines go.</param>
    /// <exception cref="CaptureSinkException">The file can't be made.</exception>
    public CaptureSink(string? file, TextWriter text)
    {
        _text = text;
        _name = file is null or "-" ? "standard output" : file;
        try
        {
            Stream? raw = file is null ? null : file == "-" ? StandardOutputStream() : new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            _stream = raw is null ? null : new BufferedStream(raw, 256 << 10);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CaptureSinkException($"The capture can't be written to {VtepConfigRules.Quote(_name)}: {refused.Message.TrimEnd('.')}. Choose another file with -w.", refused);
        }
    }

    // The console's own stream is silent about a reader that is gone.
    private static FileStream StandardOutputStream() => new(new SafeFileHandle(StandardOutputDescriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    /// <summary>Frames written.</summary>
    public long Packets { get; private set; }

    /// <summary>Frames the daemon says were lost.</summary>
    public long Lost { get; private set; }

    /// <summary>Writes a block.</summary>
    public void Take(uint type, ReadOnlySequence<byte> block)
    {
        if (type == PcapngBlocks.Packet)
            Packets++;
        if (type == PcapngBlocks.Statistics)
            Lost += PcapngBlocks.ReadLost(block);
        if (_stream is not null)
            Try(() => Write(_stream, block));
        else if (type == PcapngBlocks.Packet)
            Print(PcapngBlocks.ReadPacket(block));
    }

    /// <summary>Lets what was written be seen.</summary>
    public void Flush()
    {
        if (_stream is not null)
            Try(_stream.Flush);
        else
            _text.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _stream?.Dispose();
        }
        catch (IOException)
        {
            // what couldn't be flushed was told when it was tried before
        }
    }

    private static void Write(Stream stream, ReadOnlySequence<byte> block)
    {
        foreach (ReadOnlyMemory<byte> piece in block)
            stream.Write(piece.Span);
    }

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException gone) when ((gone.HResult & 0xFFFF) == BrokenPipe)
        {
            throw new CaptureReaderGoneException(gone);
        }
        catch (IOException failed)
        {
            throw new CaptureSinkException($"The capture can't be written to {VtepConfigRules.Quote(_name)}: {failed.Message.TrimEnd('.')}. Make room there, or choose another place.", failed);
        }
    }

    private void Print(CapturedPacket packet)
    {
        DateTime time = DateTime.UnixEpoch.AddTicks(packet.Time / 100).ToLocalTime();
        _text.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{time:HH:mm:ss.ffffff} {VtepConfigRules.Escape(packet.Comment)} | {FrameText.Describe(packet.Bytes)}"));
    }
}
