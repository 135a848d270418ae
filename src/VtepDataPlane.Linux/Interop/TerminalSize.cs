// The width and height of the terminal at standard output: TIOCGWINSZ, ioctl_tty(2). Console.WindowWidth tells the same, but sets the
// terminal's keypad mode by an escape sequence first, whatever NO_COLOR says.
//
// https://man7.org/linux/man-pages/man2/TIOCGWINSZ.2const.html

using System.Runtime.InteropServices;

#pragma warning disable CS8981, CS0649 // all lower case: the native name; the kernel writes the fields

namespace VtepDataPlane.Linux.Interop;

/// <summary>The terminal at standard output. Any thread.</summary>
internal static unsafe partial class TerminalSize
{
    private const int StandardOutput = 1;
    private const nuint TIOCGWINSZ = 0x5413;

    /// <summary>Its columns; 0: there is no terminal, or it doesn't say.</summary>
    public static int Columns => Read().ws_col;

    /// <summary>Its lines; 0: there is no terminal, or it doesn't say.</summary>
    public static int Rows => Read().ws_row;

    private static winsize Read()
    {
        // The kernel writes one winsize, which is on this stack; it stays all zeros when there is no terminal.
        winsize size = default;
        return ioctl_native(StandardOutput, TIOCGWINSZ, &size) < 0 ? default : size;
    }

    /// <summary>struct winsize.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct winsize
    {
        public ushort ws_row;
        public ushort ws_col;
        public ushort ws_xpixel;
        public ushort ws_ypixel;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int ioctl_native(int file, nuint request, winsize* size);
}
