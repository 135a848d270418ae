// Numbers nobody can guess, from the kernel. .NET's RandomNumberGenerator would load OpenSSL for them: 4 MiB of memory, and a
// library that need not be installed where vtep is one file. At the start and on reload; never on the frame path.

using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux;

/// <summary>The kernel's random numbers. Any thread.</summary>
internal static class Entropy
{
    /// <summary>A key for a hash.</summary>
    /// <exception cref="VtepException">The kernel gives none.</exception>
    public static UInt128 Key()
    {
        Span<byte> bytes = stackalloc byte[16];
        nint filled;
        do
            filled = Libc.getrandom(bytes);
        while (filled == -Tmds.Linux.LibC.EINTR);
        return filled == bytes.Length ? BitConverter.ToUInt128(bytes)
            : throw new VtepException($"There are no random numbers: getrandom(2) gave {filled}. Let the filter of system calls allow it.");
    }

    /// <summary>A number from <paramref name="min"/> up to and without <paramref name="end"/>.</summary>
    public static int Between(int min, int end) => min + (int)(Key() % (uint)(end - min));
}
