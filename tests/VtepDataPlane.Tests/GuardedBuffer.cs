// Memory between two pages that can't be accessed (mmap, mprotect). A span laid against one of them is the whole truth about a buffer: one
// byte read or written beyond it is a segmentation fault, which ends the test run there and then with the stack of the culprit.

using NUnit.Framework;
using Tmds.Linux;

namespace VtepDataPlane.Tests;

/// <summary>A buffer with guard pages on both sides. Dispose after the last use of its spans.</summary>
internal sealed unsafe class GuardedBuffer : IDisposable
{
    private readonly byte* _mapping;
    private readonly int _page = Environment.SystemPageSize;

    /// <summary>Maps room for at least so many bytes.</summary>
    public GuardedBuffer(int room)
    {
        Room = (room + _page - 1) / _page * _page;
        void* mapping = LibC.mmap(null, Room + 2 * _page, LibC.PROT_NONE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1, 0);
        Assert.That((nint)mapping, Is.Not.EqualTo((nint)(-1)), "mmap");
        _mapping = (byte*)mapping;
        Assert.That(LibC.mprotect(_mapping + _page, Room, LibC.PROT_READ | LibC.PROT_WRITE), Is.Zero, "mprotect");
    }

    /// <summary>Bytes between the guard pages.</summary>
    public int Room { get; }

    /// <summary>So many bytes directly behind the first guard page.</summary>
    public Span<byte> First(int length) => new Span<byte>(_mapping + _page, Room)[..length];

    /// <summary>So many bytes directly in front of the last guard page.</summary>
    public Span<byte> Last(int length) => new Span<byte>(_mapping + _page, Room)[^length..];

    /// <summary>A copy of the bytes directly behind the first guard page.</summary>
    public Span<byte> First(ReadOnlySpan<byte> bytes) => Copy(bytes, First(bytes.Length));

    /// <summary>A copy of the bytes directly in front of the last guard page.</summary>
    public Span<byte> Last(ReadOnlySpan<byte> bytes) => Copy(bytes, Last(bytes.Length));

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.munmap(_mapping, Room + 2 * _page);

    private static Span<byte> Copy(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        bytes.CopyTo(to);
        return to;
    }
}
