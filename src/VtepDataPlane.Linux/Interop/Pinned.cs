// Addresses of arrays that the kernel reads and writes: made once with GC.AllocateArray(pinned: true), so they never move.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe class Pinned
{
    /// <summary>The address of the first element. Good for as long as the caller keeps the array, which must have been allocated pinned.</summary>
    public static T* Address<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
