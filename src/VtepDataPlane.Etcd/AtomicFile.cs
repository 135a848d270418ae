// A small file that is old or new and never half of each: written beside its place, brought to disk, renamed over it. Only its owner may
// read it. Errors are exceptions of System.IO; the caller makes sentences of them.

namespace VtepDataPlane.Etcd;

/// <summary>Writes a file whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Replaces a file.</summary>
    /// <param name="path">The file; its directory must be there and writable.</param>
    /// <param name="write">Writes the content.</param>
    public static void Write(string path, Action<Stream> write)
    {
        string beside = path + ".new";
        File.Delete(beside); // of a life that ended here
        try
        {
            using (var file = new FileStream(beside, Options()))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 65_536 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>Trouble with a file that is told, not thrown.</summary>
    public static bool IsFileTrouble(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException or System.Security.SecurityException;
}
