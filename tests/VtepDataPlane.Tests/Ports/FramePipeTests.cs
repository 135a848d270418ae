// The format: golden bytes, frames that aren't there whole, and lengths that can't be.

using System.Buffers;
using System.IO.Pipelines;
using NUnit.Framework;
using VtepDataPlane.Ports;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Ports;

public sealed class FramePipeTests
{
    [Test]
    public void AFrame_StandsBehindItsLength_BigEndian()
    {
        var buffer = new ArrayBufferWriter<byte>();
        FramePipe.WriteFrame(buffer, Hex("0102 03"));
        FramePipe.WriteFrame(buffer, new byte[0x0105]);
        Assert.That(Convert.ToHexString(buffer.WrittenSpan[..11]), Is.EqualTo("00000003010203" + "00000105"));
        Assert.That(buffer.WrittenCount, Is.EqualTo(4 + 3 + 4 + 0x105));
    }

    [TestCase("", 0)]
    [TestCase("000000", 0)]
    [TestCase("00000002 AA", 0)]
    [TestCase("00000002 AABB", 1)]
    [TestCase("00000002 AABB 000000", 1)]
    [TestCase("00000002 AABB 00000000 00000001 CC", 3)]
    public void WhatIsThereWhole_IsRead_AndTheRestIsLeft(string hex, int frames)
    {
        byte[] bytes = Hex(hex);
        var buffer = new ReadOnlySequence<byte>(bytes);
        int read = 0, taken = 0;
        while (FramePipe.TryReadFrame(ref buffer, out ReadOnlySequence<byte> frame))
        {
            read++;
            taken += 4 + (int)frame.Length;
        }

        Assert.That(read, Is.EqualTo(frames));
        Assert.That(buffer.Length, Is.EqualTo(bytes.Length - taken));
    }

    [Test]
    public void ALengthAboveTheLongestFrame_IsRefused_OnBothSides()
    {
        var buffer = new ReadOnlySequence<byte>(Hex("00010016"));
        Assert.That(() => FramePipe.TryReadFrame(ref buffer, out _), Throws.InstanceOf<InvalidDataException>()
            .With.Message.EqualTo("a frame's length says 65558 bytes, and the longest frame has 65557: nothing behind it can be read"));
        Assert.That(
            () => FramePipe.WriteFrame(new ArrayBufferWriter<byte>(), new byte[FramePipe.MaxFrameLength + 1]),
            Throws.ArgumentException.With.Message.StartsWith("A frame of 65558 bytes can't be written to a pipe: the longest has 65557."));
    }

    [Test]
    public async Task TheLongestFrame_GoesThroughAPipeOfSmallSegments()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 256));
        byte[] frame = Pattern(FramePipe.MaxFrameLength);
        FramePipe.WriteFrame(pipe.Writer, frame);
        await pipe.Writer.FlushAsync();
        Assert.That(pipe.Reader.TryRead(out ReadResult result));
        ReadOnlySequence<byte> buffer = result.Buffer;
        Assert.That(FramePipe.TryReadFrame(ref buffer, out ReadOnlySequence<byte> read));
        Assert.That(read.ToArray(), Is.EqualTo(frame));
    }
}
