// The modes of a terminal for a program that obeys single keys and can be stopped by Ctrl-Z. The runtime's console does the former, but on the thread that
// waits for keys, so it could set its modes just when a stopping program has set the old ones; and whoever handles SIGTSTP in the runtime isn't stopped
// any more (dotnet/runtime issue 64511). TCGETS and TCSETS, ioctl_tty(2); struct termios, asm-generic/termbits.h; kill(2).
//
// https://man7.org/linux/man-pages/man2/TCSETS.2const.html

using System.Runtime.InteropServices;

#pragma warning disable CS8981 // all lower case: the native name

namespace VtepDataPlane.Linux.Interop;

/// <summary>Modes of the terminal at standard input: echo, whole lines or single keys. Immutable.</summary>
internal sealed unsafe partial class TerminalModes
{
    private const int StandardInput = 0;
    private const nuint TCGETS = 0x5401, TCSETS = 0x5402;
    private const int SIGSTOP = 19;
    private const int Size = 64; // bytes; struct termios has 36
    private const int LocalFlags = 12, ControlCharacters = 17; // offsets in it
    private const int VTIME = 5, VMIN = 6;
    private const uint ICANON = 2, ECHO = 8;

    private readonly byte[] _termios;

    private TerminalModes(byte[] termios) => _termios = termios;

    /// <summary>The present ones; null: standard input is no terminal.</summary>
    public static TerminalModes? Now()
    {
        // The kernel writes one struct termios, which has room in the pinned array.
        byte[] read = new byte[Size];
        fixed (byte* termios = read)
            return ioctl_native(StandardInput, TCGETS, termios) == 0 ? new TerminalModes(read) : null;
    }

    /// <summary>The same, but that a read gets each key at once, and none is echoed. Ctrl-C and Ctrl-Z stay signals.</summary>
    public TerminalModes WithSingleKeys()
    {
        byte[] termios = [.. _termios];
        Span<byte> flags = termios.AsSpan(LocalFlags, sizeof(uint));
        uint local = MemoryMarshal.Read<uint>(flags) & ~(ICANON | ECHO);
        MemoryMarshal.Write(flags, local);
        termios[ControlCharacters + VMIN] = 1;
        termios[ControlCharacters + VTIME] = 0;
        return new TerminalModes(termios);
    }

    /// <summary>Sets them; nothing when the terminal is gone.</summary>
    public void Set()
    {
        // The kernel reads one struct termios, which it has written there before.
        fixed (byte* termios = _termios)
            _ = ioctl_native(StandardInput, TCSETS, termios);
    }

    /// <summary>Stops this process, as SIGTSTP would without a handler. Returns when it has been continued.</summary>
    public static void StopProcess() => _ = kill_native(Environment.ProcessId, SIGSTOP); // can't fail: nobody may block it, and each process may send it to itself

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int ioctl_native(int file, nuint request, byte* termios);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int kill_native(int process, int signal);
}
