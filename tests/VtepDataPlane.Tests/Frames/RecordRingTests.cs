// The ring between two threads: what goes in comes out, once, whole and in order, or is counted as lost. Held against a model that keeps
// bytes and records in the plainest way, and under two real threads with records that carry their own checksum.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Tests.Frames;

internal sealed class RecordRingTests
{
    [Test]
    public void WhatIsCommitted_IsRead_InOrder_WithItsBytes()
    {
        var ring = new RecordRing<int>(4, 64);
        Write(ring, 1, [0xA1]);
        Write(ring, 2, []);
        Write(ring, 3, [0xC1, 0xC2, 0xC3]);

        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "1:A1", "2:", "3:C1C2C3" }));
        Assert.That(ring.Committed, Is.EqualTo(3));
        Assert.That(ring.Lost, Is.Zero);
    }

    [Test]
    public void WhatIsStaged_CanBeChanged_AndIsSeenOnlyOnceCommitted()
    {
        var ring = new RecordRing<int>(4, 64);
        Assert.That(ring.TryStage(1, out int slot, out Span<byte> bytes));
        bytes[0] = 0xAA;
        ring[slot] = 1;

        Assert.That(ring.TryRead(out _, out _), Is.False);
        Assert.That(ring.IsEmpty);
        Assert.That(ring.Committed, Is.Zero);

        ring[slot] = 7;
        ring.Commit();
        Assert.That(ring.IsEmpty, Is.False);
        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "7:AA" }));
    }

    [Test]
    public void ManyAreStaged_AndCommittedAtOnce()
    {
        var ring = new RecordRing<int>(4, 64);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(ring.TryStage(1, out int slot, out Span<byte> bytes));
            bytes[0] = (byte)i;
            ring[slot] = i;
        }

        ring.Commit();
        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "0:00", "1:01", "2:02" }));
    }

    [Test]
    public void WhatIsDiscarded_WasNeverThere_AndItsRoomIsFree()
    {
        var ring = new RecordRing<int>(2, 64);
        Write(ring, 1, [1]);
        Assert.That(ring.TryStage(32, out _, out _));
        ring.Discard();
        Write(ring, 2, new byte[32]);
        ring.Discard();
        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "1:01", "2:" + new string('0', 64) }));
        Assert.That((ring.Committed, ring.Lost), Is.EqualTo((2L, 0L)));
    }

    [Test]
    public void AFullRing_LosesTheNewRecord_AndKeepsTheOld()
    {
        var ring = new RecordRing<int>(2, 64);
        Write(ring, 1, [1]);
        Write(ring, 2, [2]);
        Assert.That(ring.TryStage(1, out _, out _), Is.False);
        Assert.That(ring.Lost, Is.EqualTo(1));

        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "1:01", "2:02" }));
        Write(ring, 4, [4]);
        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "4:04" }));
    }

    [Test]
    public void StagedRecords_TakeRoomAsCommittedOnesDo()
    {
        var ring = new RecordRing<int>(2, 64);
        Assert.That(ring.TryStage(0, out _, out _));
        Assert.That(ring.TryStage(0, out _, out _));
        Assert.That(ring.TryStage(0, out _, out _), Is.False);
    }

    [Test]
    public void ARecordThatWasRead_HoldsItsRoom_UntilItIsReleased()
    {
        var ring = new RecordRing<int>(2, 64);
        Write(ring, 1, [1]);
        Write(ring, 2, [2]);
        Assert.That(ring.TryRead(out _, out ReadOnlySpan<byte> bytes));
        Assert.That(ring.TryStage(1, out _, out _), Is.False);
        Assert.That(bytes[0], Is.EqualTo(1));

        ring.Release();
        Assert.That(ring.TryStage(1, out _, out _));
    }

    [Test]
    public void ARecordOfMoreThanHalfTheBytes_IsRefused_AndOneOfHalfFitsWhereverTheEndIs()
    {
        for (int before = 0; before <= 32; before++)
        {
            var ring = new RecordRing<int>(4, 64);
            Write(ring, 1, new byte[before]);
            _ = ReadAll(ring);
            Assert.That(ring.TryStage(33, out _, out _), Is.False, $"33 bytes after {before}");
            Assert.That(ring.Lost, Is.EqualTo(1));
            Write(ring, 2, new byte[32]);
            Assert.That(ReadAll(ring), Has.Count.EqualTo(1), $"32 bytes after {before}");
        }
    }

    [Test]
    public void BytesThatDontFitBeforeTheEnd_StartOver_AndOverwriteNothing()
    {
        var ring = new RecordRing<int>(16, 16);
        Write(ring, 1, [1, 1, 1, 1, 1, 1]);
        Write(ring, 2, [2, 2, 2, 2, 2, 2]);
        Assert.That(ring.TryStage(6, out _, out _), Is.False, "4 bytes are left, and none at the beginning");
        Assert.That(ReadOne(ring), Is.EqualTo("1:010101010101"));
        Write(ring, 3, [3, 3, 3, 3, 3, 3]);

        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "2:020202020202", "3:030303030303" }));
    }

    [Test]
    public void ARingWithoutBytes_TakesRecordsWithoutBytes()
    {
        var ring = new RecordRing<int>(2, 0);
        Write(ring, 1, []);
        Assert.That(ring.TryStage(1, out _, out _), Is.False);
        Assert.That(ReadAll(ring), Is.EqualTo(new[] { "1:" }));
    }

    [Test]
    public void SizesAreRoundedUp_AndSuchAsMakeNoSenseAreRefused()
    {
        var ring = new RecordRing<int>(3, 33);
        Assert.That(ring.LongestRecord, Is.EqualTo(32));
        for (int i = 0; i < 4; i++)
            Write(ring, i, []);
        Assert.That(ring.TryStage(0, out _, out _), Is.False);
        Assert.That(() => new RecordRing<int>(0, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new RecordRing<int>(1, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new RecordRing<int>(int.MaxValue, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new RecordRing<int>(1, int.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void LossIsCounted_AlsoByTheWriterItself()
    {
        var ring = new RecordRing<int>(1, 0);
        ring.CountLost();
        Write(ring, 1, []);
        Assert.That(ring.TryStage(0, out _, out _), Is.False);
        Assert.That(ring.Lost, Is.EqualTo(2));
    }

    [Test]
    public void WhatARecordNames_IsNotKeptAliveOnceItWasRead()
    {
        var ring = new RecordRing<(object? Name, int Number)>(4, 0);
        WeakReference name = WriteAnObject(ring);
        ReadItAway(ring);
        GC.Collect();
        Assert.That(name.IsAlive, Is.False);
        GC.KeepAlive(ring);
    }

    [Test]
    public void AStagedRecord_StartsBlank_WhateverWasThereBefore()
    {
        var ring = new RecordRing<long>(1, 0);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(ring.TryStage(0, out int slot, out _));
            Assert.That(ring[slot], Is.Zero);
            ring[slot] = 5;
            ring.Commit();
            _ = ring.TryRead(out _, out _);
            ring.Release();
        }
    }

    [Test]
    public void AnySequence_DoesWhatThePlainestRingDoes() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, 70], Gen.Int[0, 46].Array[0, 200]).Sample((records, bytes, steps) =>
        {
            var ring = new RecordRing<int>(records, bytes);
            var model = new PlainRing(records, bytes);
            for (int i = 0; i < steps.Length; i++)
            {
                if (!model.Step(ring, i, steps[i]))
                    return false;
            }

            return ring.Lost == model.Lost && ring.Committed == model.Committed;
        });

    [Test]
    public void ReadingAndWriting_AllocatesNothing()
    {
        var ring = new RecordRing<int>(8, 256);
        long leanest = long.MaxValue;
        for (int window = 0; window < 4; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            PassThrough(ring, 1000);
            leanest = Math.Min(leanest, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(leanest, Is.Zero);
    }

    [Test]
    [CancelAfter(60_000)]
    public void BetweenTwoThreads_NothingIsTornOrDoubledOrOutOfOrder(CancellationToken cancellation)
    {
        const int records = 300_000;
        var ring = new RecordRing<Checked>(64, 4096);
        var writer = new Thread(() => WriteChecked(ring, records, cancellation));
        writer.Start();
        (int read, string? wrong) = ReadChecked(ring, records, cancellation);
        writer.Join();

        Assert.That(wrong, Is.Null);
        Assert.That(read, Is.EqualTo(records));
    }

    // --- help ---

    private static void Write(RecordRing<int> ring, int value, byte[] bytes)
    {
        Assert.That(ring.TryStage(bytes.Length, out int slot, out Span<byte> room));
        Assert.That(room.Length, Is.EqualTo(bytes.Length));
        bytes.CopyTo(room);
        ring[slot] = value;
        ring.Commit();
    }

    private static List<string> ReadAll(RecordRing<int> ring)
    {
        var records = new List<string>();
        while (ring.TryRead(out int record, out ReadOnlySpan<byte> bytes))
            records.Add($"{record}:{Convert.ToHexString(bytes)}");
        ring.Release();
        return records;
    }

    private static string ReadOne(RecordRing<int> ring)
    {
        Assert.That(ring.TryRead(out int record, out ReadOnlySpan<byte> bytes));
        string text = $"{record}:{Convert.ToHexString(bytes)}";
        ring.Release();
        return text;
    }

    private static void PassThrough(RecordRing<int> ring, int records)
    {
        for (int i = 0; i < records; i++)
        {
            if (ring.TryStage(60, out _, out _))
                ring.Commit();
            _ = ring.TryRead(out _, out _);
            ring.Release();
        }
    }

    private static WeakReference WriteAnObject(RecordRing<(object? Name, int Number)> ring)
    {
        object name = new();
        Assert.That(ring.TryStage(0, out int slot, out _));
        ring[slot] = (name, 1);
        ring.Commit();
        return new WeakReference(name);
    }

    private static void ReadItAway(RecordRing<(object? Name, int Number)> ring)
    {
        Assert.That(ring.TryRead(out (object? Name, int Number) record, out _));
        Assert.That(record.Name, Is.Not.Null);
        ring.Release();
    }

    private static void WriteChecked(RecordRing<Checked> ring, int records, CancellationToken cancellation)
    {
        for (int i = 0; i < records && !cancellation.IsCancellationRequested; i++)
        {
            int slot;
            Span<byte> bytes;
            while (!ring.TryStage(i * 7 % 300, out slot, out bytes) && !cancellation.IsCancellationRequested)
                Thread.Yield();
            bytes.Fill((byte)i);
            ring[slot] = new Checked(i, bytes.Length * (byte)i);
            if (i % 5 != 0 || i == records - 1)
                ring.Commit();
        }
    }

    private static (int Read, string? Wrong) ReadChecked(RecordRing<Checked> ring, int records, CancellationToken cancellation)
    {
        int read = 0;
        while (read < records && !cancellation.IsCancellationRequested)
        {
            if (!ring.TryRead(out Checked record, out ReadOnlySpan<byte> bytes))
            {
                ring.Release();
                Thread.Yield();
                continue;
            }

            int sum = 0;
            foreach (byte b in bytes)
                sum += b;
            if (record.Number != read || record.Sum != sum || bytes.Length != read * 7 % 300)
                return (read, $"record {read}: number {record.Number}, sum {record.Sum} and {sum}, {bytes.Length} bytes");
            read++;
            if (read % 3 == 0)
                ring.Release();
        }

        ring.Release();
        return (read, null);
    }

    private readonly record struct Checked(int Number, int Sum);
}
