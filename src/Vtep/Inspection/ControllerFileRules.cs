// The files that controllers name: a daemon starts without them, but its controller stays refused or empty, so each is a warning.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Rules of controllers' files.</summary>
internal static class ControllerFileRules
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Judges them.</summary>
    /// <param name="sources">The controllers.</param>
    /// <param name="mayRead">This user is the one who will read them; otherwise it only matters that they are there.</param>
    public static IEnumerable<HostFinding> Judge(IReadOnlyList<ControllerSource> sources, bool mayRead)
    {
        foreach ((string path, string element, bool isSecret) in sources.SelectMany(Files))
        {
            if (Problem(path, isSecret, mayRead) is var (what, remedy))
                yield return new HostFinding("secrets", FindingSeverity.Warning, path, element, what, remedy);
        }
    }

    private static IEnumerable<(string Path, string Element, bool IsSecret)> Files(ControllerSource source)
    {
        string element = $"$.controllers.{source.Config.Name}";
        (string? Path, string Element, bool IsSecret)[] files = source switch
        {
            EtcdSource { Options: var etcd } =>
            [
                (etcd.PasswordFile, $"{element}.etcd.passwordFile", true), (etcd.CaFile, $"{element}.etcd.tls.ca", false),
                (etcd.CertificateFile, $"{element}.etcd.tls.certificate", false), (etcd.KeyFile, $"{element}.etcd.tls.key", false),
            ],
            FileSource file => [(file.Path, $"{element}.file.path", false)],
            _ => [],
        };
        return files.Where(file => file.Path is not null).Select(file => (file.Path!, file.Element, file.IsSecret));
    }

    private static (string What, string Remedy)? Problem(string path, bool isSecret, bool mayRead)
    {
        try
        {
            using FileStream file = ConfigFile.Open(path);
            UnixFileMode mode = File.GetUnixFileMode(file.SafeFileHandle);
            return isSecret && (mode & Others) != 0
                ? ($"others can read the password file {path} (mode {Convert.ToString((int)mode, 8)}), so it is refused", "make it its owner's: chmod 600, and change the password")
                : null;
        }
        catch (UnauthorizedAccessException)
        {
            bool isDirectory = Directory.Exists(path);
            return isDirectory ? ($"{path} is a directory", "give the path of a file")
                : mayRead ? ($"{path} can't be read: permission denied", "make it readable for this user") : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ($"there is no file {path}", "put it there, or correct the path");
        }
        catch (IOException e)
        {
            return ($"{path} can't be read: {e.Message.TrimEnd('.')}", "put the right file there");
        }
    }
}
