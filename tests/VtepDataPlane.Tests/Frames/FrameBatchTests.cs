// Slots, and the frames of aggregates: what a walk yields, and that no frame reaches into its neighbour.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Tests.Frames;

internal sealed class FrameBatchTests
{
    [Test]
    public void AWalk_YieldsTheFramesOfAggregates_OneByOne_InOrder()
    {
        var batch = new FrameBatch(capacity: 3, room: 100);
        Add(batch, [1, 2, 3], segmentSize: 0);
        Add(batch, [4, 5, 6, 7, 8], segmentSize: 2);
        Add(batch, [9, 10], segmentSize: 0);

        Assert.That(Walk(batch), Is.EqualTo(new[] { "010203", "0405", "0607", "08", "090A" }));
    }

    [Test]
    public void EveryFrameOfAnAggregate_KnowsWhereItCameFrom()
    {
        var batch = new FrameBatch(capacity: 1, room: 100);
        Add(batch, [1, 2, 3], segmentSize: 2);
        batch[0].Info.Outer.TrafficClass = 7;

        var classes = new List<byte>();
        foreach (Frame frame in batch)
        {
            classes.Add(frame.Info.Outer.TrafficClass);
            frame.Info.Outer.TrafficClass = 9; // a scratch: the next one is as it came
        }

        Assert.That(classes, Is.EqualTo(new byte[] { 7, 7 }));
    }

    [Test]
    public void AFrameInsideAnAggregate_HasNoHeadroom()
    {
        var batch = new FrameBatch(capacity: 1, room: 100);
        Add(batch, [1, 2, 3, 4], segmentSize: 2);
        foreach (Frame frame in batch)
        {
            try
            {
                frame.Push(1);
                Assert.Fail("the byte in front belongs to another frame");
            }
            catch (ArgumentOutOfRangeException)
            {
                Assert.That(frame.Length, Is.EqualTo(2));
            }
        }
    }

    [Test]
    public void AnyAggregate_IsWalkedWithoutGapsAndWithoutEnd() =>
        Gen.Select(Gen.Byte.Array[1, 90], Gen.Int[1, 100]).Sample((bytes, size) =>
        {
            var batch = new FrameBatch(capacity: 1, room: 100);
            Add(batch, bytes, size);
            string[] frames = [.. Walk(batch)];
            return string.Concat(frames) == Convert.ToHexString(bytes) && frames.SkipLast(1).All(frame => frame.Length == 2 * size);
        });

    [Test]
    public void AWalk_AllocatesNothing()
    {
        var batch = new FrameBatch(capacity: 1, room: 100);
        Add(batch, new byte[90], segmentSize: 3);
        int frames = Count(batch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        frames += Count(batch);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(frames, Is.EqualTo(60));
    }

    private static int Count(FrameBatch batch)
    {
        int frames = 0;
        foreach (Frame _ in batch)
            frames++;
        return frames;
    }

    private static void Add(FrameBatch batch, byte[] bytes, int segmentSize)
    {
        Assert.That(batch.TryAdd(bytes));
        batch[batch.Count - 1].Info.SegmentSize = segmentSize;
    }

    private static List<string> Walk(FrameBatch batch)
    {
        var frames = new List<string>();
        foreach (Frame frame in batch)
            frames.Add(Convert.ToHexString(frame.Bytes));
        return frames;
    }
}
