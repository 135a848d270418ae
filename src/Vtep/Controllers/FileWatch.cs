// Tells that a file may have changed, however it was changed: written in place, renamed over, or reached over another symbolic link than
// before, be it the file itself or a directory on the way (a ConfigMap's ..data is swapped like that). An inode that is watched says
// nothing of any of this; the directories in which the names on the way stand do (inotify(7)). So these are watched, all of them, and
// found anew after every change. What the kernel doesn't tell of (network file systems, no watches left) is found by the stamp of the
// file, which whoever waits compares now and then.

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>Watches the way to a file.</summary>
/// <param name="path">Absolute path of the file; nothing of it need be there.</param>
/// <param name="changed">Called on any thread, and too often rather than not at all.</param>
internal sealed class FileWatch(string path, Action changed) : IDisposable
{
    private const int MostLinks = 40; // path_resolution(7)

    private readonly Dictionary<string, FileSystemWatcher> _watchers = [];

    /// <summary>Directories that are watched now.</summary>
    public IReadOnlyCollection<string> Watched => _watchers.Keys;

    /// <summary>Sees to it that the right directories are watched. Call before the file is read.</summary>
    public void Refresh()
    {
        // The way may change while it is being watched: only two equal looks make sure that nothing was missed.
        const int MostLooks = 5;
        for (int i = 0; i < MostLooks; i++)
        {
            HashSet<string> wanted = DirectoriesOnTheWay(path);
            if (wanted.SetEquals(_watchers.Keys) && _watchers.Values.All(watcher => watcher.EnableRaisingEvents))
                return;
            Change(wanted);
        }
    }

    public void Dispose() => Change([]);

    /// <summary>The directories that hold the file, and every link on the way to it; where something is missing, the one that lacks it.</summary>
    internal static HashSet<string> DirectoriesOnTheWay(string path)
    {
        var found = new HashSet<string>();
        var steps = new Stack<string>(Steps(path).Reverse());
        string at = "/";
        for (int links = 0; steps.TryPop(out string? step);)
        {
            string next = Path.GetFullPath(Path.Combine(at, step));
            string? target = LinkTarget(next);
            if (target is not null || steps.Count == 0 || !Path.Exists(next))
                found.Add(at);
            if (target is null && !Path.Exists(next))
                break;
            if (target is not null && ++links > MostLinks)
                break;
            at = target is null ? next : target.StartsWith('/') ? "/" : at;
            foreach (string further in Steps(target ?? "").Reverse())
                steps.Push(further);
        }

        return found;
    }

    private static string[] Steps(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Change(HashSet<string> wanted)
    {
        foreach ((string directory, FileSystemWatcher watcher) in _watchers.ToArray())
        {
            if (wanted.Contains(directory) && watcher.EnableRaisingEvents)
                continue;
            watcher.Dispose();
            _watchers.Remove(directory);
        }

        foreach (string directory in wanted.Where(directory => !_watchers.ContainsKey(directory)))
            Add(directory);
    }

    private void Add(string directory)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(directory)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size
                    | NotifyFilters.Attributes | NotifyFilters.CreationTime,
            };
            watcher.Changed += (_, _) => changed();
            watcher.Created += (_, _) => changed();
            watcher.Deleted += (_, _) => changed();
            watcher.Renamed += (_, _) => changed();
            watcher.Error += (_, _) => changed();
            watcher.EnableRaisingEvents = true;
            _watchers.Add(directory, watcher);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Gone again, not ours to read, or no watches left: the file's stamp will tell.
            watcher?.Dispose();
        }
    }
}
