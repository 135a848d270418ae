// The mix of all hashes here: two 64-bit numbers are multiplied to 128 bits, and the halves of the product are xored. Every bit of the inputs
// reaches every bit of the result (but for an input of zero, which callers hide behind a secret).
//
// Math.BigMul hands the low half over through memory; a second multiplication is cheaper. Any thread.

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace VtepDataPlane.Wire;

internal static class FoldedProduct
{
    /// <summary>Both halves of the product, xored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong left, ulong right) => High(left, right) ^ (left * right);

    /// <summary>The upper half of the product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong High(ulong left, ulong right) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(left, right) : Math.BigMul(left, right, out _);
}
