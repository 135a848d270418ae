// The cache on disk. All numbers big endian:
//
//   8 bytes "VTEPDIR1" (the last character is the format's version), 8 revision, 8 time (Unix milliseconds), 2+n the controller's prefix,
//   4 number of records, each: 2+n key, 2+n value, as in the store; 32 bytes SHA-256 of all before
//
// A file that was torn, shortened or touched fails the sum and is not looked at any further. Inside the sum every length is checked all the same.

using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Etcd;

/// <summary>What a cache holds.</summary>
/// <param name="Revision">The store's.</param>
/// <param name="Written">When, Unix milliseconds.</param>
/// <param name="Records">The records.</param>
internal sealed record CacheContent(long Revision, long Written, IReadOnlyList<DirectoryRecord> Records);

/// <summary>Reads and writes the cache's bytes.</summary>
/// <param name="codec">Keys and values.</param>
internal sealed class CacheFormat(RecordCodec codec)
{
    /// <summary>A larger file is none of ours.</summary>
    public const int MaxFile = 256 << 20;

    private const int SumSize = 32;

    private static ReadOnlySpan<byte> Magic => "VTEPDIR1"u8;

    /// <summary>Writes everything.</summary>
    public void Write(Stream file, CacheContent content)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new ArrayBufferWriter<byte>(65_536);
        part.Write(Magic);
        WriteLong(part, content.Revision);
        WriteLong(part, content.Written);
        WriteBytes(part, Encoding.UTF8.GetBytes(codec.Layout.Prefix));
        BinaryPrimitives.WriteInt32BigEndian(part.GetSpan(4), content.Records.Count);
        part.Advance(4);
        foreach (DirectoryRecord record in content.Records)
        {
            WriteBytes(part, codec.Key(record.Key));
            WriteBytes(part, RecordCodec.Value(record));
            if (part.WrittenCount > 60_000)
                Flush(part, sum, file);
        }

        Flush(part, sum, file);
        file.Write(sum.GetHashAndReset());
    }

    private static void Flush(ArrayBufferWriter<byte> part, IncrementalHash sum, Stream file)
    {
        sum.AppendData(part.WrittenSpan);
        file.Write(part.WrittenSpan);
        part.ResetWrittenCount();
    }

    private static void WriteLong(ArrayBufferWriter<byte> part, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(part.GetSpan(8), value);
        part.Advance(8);
    }

    private static void WriteBytes(ArrayBufferWriter<byte> part, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(part.GetSpan(2), checked((ushort)bytes.Length));
        part.Advance(2);
        part.Write(bytes);
    }

    /// <summary>Reads everything. Null, or a part of a sentence why the file is of no use.</summary>
    public string? Read(ReadOnlySpan<byte> file, out CacheContent? content)
    {
        content = null;
        if (file.Length < Magic.Length + SumSize)
            return "it is too short";
        if (!file[..(Magic.Length - 1)].SequenceEqual(Magic[..^1]))
            return "it is no cache of ours";
        if (file[Magic.Length - 1] != Magic[^1])
            return "it has another version's format";
        ReadOnlySpan<byte> body = file[..^SumSize];
        if (!SHA256.HashData(body).AsSpan().SequenceEqual(file[^SumSize..]))
            return "its checksum is wrong";
        return ReadBody(body[Magic.Length..], out content);
    }

    private string? ReadBody(ReadOnlySpan<byte> rest, out CacheContent? content)
    {
        content = null;
        if (!TryReadLong(ref rest, out long revision) || !TryReadLong(ref rest, out long written) || !TryReadBytes(ref rest, out ReadOnlySpan<byte> prefix))
            return "its head is cut off";
        if (!prefix.SequenceEqual(Encoding.UTF8.GetBytes(codec.Layout.Prefix)))
            return "it is of another prefix";
        if (!TryReadCount(ref rest, out int count))
            return "its number of records is wrong";
        var records = new List<DirectoryRecord>(count);
        for (int i = 0; i < count; i++)
        {
            if (!TryReadRecord(ref rest, out DirectoryRecord? record))
                return "a record in it can't be read";
            records.Add(record);
        }

        content = new CacheContent(revision, written, records);
        return null;
    }

    private bool TryReadRecord(ref ReadOnlySpan<byte> rest, [NotNullWhen(true)] out DirectoryRecord? record)
    {
        record = null;
        return TryReadBytes(ref rest, out ReadOnlySpan<byte> key) && TryReadBytes(ref rest, out ReadOnlySpan<byte> value)
            && codec.TryParse(key, value, out record, out _);
    }

    // a record takes four bytes at least: more can't be announced than there is room for
    private static bool TryReadCount(ref ReadOnlySpan<byte> rest, out int count)
    {
        count = 0;
        if (rest.Length < 4)
            return false;
        count = BinaryPrimitives.ReadInt32BigEndian(rest);
        rest = rest[4..];
        return count >= 0 && count <= rest.Length / 4;
    }

    private static bool TryReadLong(ref ReadOnlySpan<byte> rest, out long value)
    {
        value = 0;
        if (rest.Length < 8)
            return false;
        value = BinaryPrimitives.ReadInt64BigEndian(rest);
        rest = rest[8..];
        return true;
    }

    private static bool TryReadBytes(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (rest.Length < 2)
            return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length - 2 < length)
            return false;
        bytes = rest.Slice(2, length);
        rest = rest[(2 + length)..];
        return true;
    }
}
