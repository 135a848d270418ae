// Frames through a Coalescer as a queue does it, and what it would write. Each frame is handed in between guard pages and wiped right after, so that a
// Coalescer that read beyond a frame, changed it or looked at it later would be found out.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Offload;

/// <summary>A frame to be written.</summary>
internal sealed record Noted(byte[] Bytes, OffloadInfo Offload = default)
{
    public static implicit operator Noted(byte[] bytes) => new(bytes);

    /// <summary>With its transport checksum left to be finished, as the frame says.</summary>
    public static Noted Partial(byte[] bytes)
    {
        FrameHeaders.Parse(bytes, out FrameHeaders headers);
        int field = headers.Protocol == IpProtocol.Tcp ? 16 : 6;
        return new(bytes, new OffloadInfo { NeedsChecksum = true, ChecksumStart = headers.TransportOffset, ChecksumOffset = (ushort)field });
    }
}

/// <summary>What was written with one call: the numbers of the frames it stands for, its bytes, its metadata.</summary>
internal sealed record Written(int[] Frames, byte[] Bytes, OffloadInfo Offload)
{
    /// <summary>Its segments, cut by the book; a single frame as it is.</summary>
    public List<byte[]> Cut() => Frames.Length == 1 ? [Bytes] : SuperFrames.CutByTheBook(Bytes, Offload.GsoSize);
}

internal static class Coalescing
{
    /// <summary>Adds the frames to a fresh Coalescer and gives what would be written.</summary>
    public static List<Written> Run(params IReadOnlyList<Noted> frames) => Run(new Coalescer(Math.Max(1, frames.Count)), TrainKinds.All, frames);

    public static List<Written> Run(Coalescer coalescer, TrainKinds kinds, IReadOnlyList<Noted> frames)
    {
        coalescer.Begin(kinds);
        using var buffer = new GuardedBuffer(70_000);
        for (int i = 0; i < frames.Count; i++)
        {
            byte[] bytes = frames[i].Bytes;
            Span<byte> frame = i % 2 == 0 ? buffer.Last(bytes) : buffer.First(bytes);
            FrameHeaders.Parse(bytes, out FrameHeaders headers);
            coalescer.Add(frame, headers, frames[i].Offload);
            if (!frame.SequenceEqual(bytes))
                Assert.Fail($"frame {i} was changed");
            frame.Clear();
        }

        Assert.That(coalescer.Count, Is.EqualTo(frames.Count));
        return [.. Enumerable.Range(0, coalescer.Trains).Select(train => Write(coalescer, train, frames))];
    }

    /// <summary>How the frames are grouped, by their numbers: "0 1 2 | 3".</summary>
    public static string Groups(params IReadOnlyList<Noted> frames) => Groups(Run(frames));

    public static string Groups(IEnumerable<Written> written) => string.Join(" | ", written.Select(train => string.Join(' ', train.Frames)));

    private static Written Write(Coalescer coalescer, int number, IReadOnlyList<Noted> frames)
    {
        Train train = coalescer[number];
        int[] numbers = new int[train.Frames];
        numbers[0] = train.First;
        for (int i = 1; i < train.Frames; i++)
            numbers[i] = coalescer.Next(numbers[i - 1]);
        Assert.That(numbers[^1], Is.EqualTo(train.Last));
        if (train.Frames == 1)
            return new Written(numbers, frames[train.First].Bytes, frames[train.First].Offload);
        Span<byte> header = coalescer.Finish(number, out OffloadInfo offload);
        Assert.That(header.Length, Is.EqualTo(train.HeaderLength));
        byte[] bytes = [.. header, .. numbers.SelectMany(frame => frames[frame].Bytes[train.HeaderLength..])];
        Assert.That(bytes, Has.Length.EqualTo(train.Length));
        Assert.That(offload.IsSane(bytes.Length));
        return new Written(numbers, bytes, offload);
    }
}
