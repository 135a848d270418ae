// Arrays that the kernel reads and writes. The processes that use them live until they are killed, so the memory is never freed.

using System.Runtime.InteropServices;

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>Memory outside the garbage collector's.</summary>
internal static unsafe class Native
{
    private const int Alignment = 4096;

    /// <summary>An array of zeros, page aligned, for the life of the process.</summary>
    public static T* Array<T>(int length)
        where T : unmanaged
    {
        nuint bytes = (nuint)length * (nuint)sizeof(T);
        void* memory = NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(memory, bytes);
        return (T*)memory;
    }
}
