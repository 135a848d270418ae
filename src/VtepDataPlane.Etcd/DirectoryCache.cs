// What was last known of the store, on disk: a VTEP that restarts while the store is away forwards by it. It is told what the directory tells, keeps
// the records by reference, and writes them all when something has changed: every 5 s at most, and no more than a fiftieth of
// the time is spent on it, however much changes. Trouble with the file never is the directory's trouble: it is told once, and tried again.
//
// The events of one directory come one after the other; saving may run beside them.

using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Etcd;

/// <summary>The last known state on disk. Thread-safe.</summary>
/// <param name="path">The file.</param>
/// <param name="codec">Keys and values.</param>
/// <param name="timings">Pauses.</param>
/// <param name="time">The clock.</param>
internal sealed class DirectoryCache(string path, RecordCodec codec, EtcdTimings timings, TimeProvider time)
{
    private const int LeastIdleShare = 50;

    private readonly CacheFormat _format = new(codec);
    private readonly Lock _gate = new();
    private readonly Lock _saving = new();
    private readonly Dictionary<RecordKey, DirectoryRecord> _records = [];
    private long _revision;
    private bool _hasAll;
    private bool _changed;
    private string? _unused;

    /// <summary>Reads the file. A snapshot, or null and a sentence why there is none; no file at all is no problem.</summary>
    public DirectorySnapshot? Load(out string? problem)
    {
        problem = null;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                return null;
            CacheContent? content = null;
            string? wrong = file.Length > CacheFormat.MaxFile ? $"it has more than {CacheFormat.MaxFile >> 20} MiB" : _format.Read(File.ReadAllBytes(path), out content);
            _unused = problem = wrong is null ? null
                : $"The cache {VtepConfigRules.Quote(path)} is not used: {wrong}. It is written anew when the store has answered.";
            return content is null ? null : new DirectorySnapshot(content.Revision, content.Records, [], IsFromCache: true, Cause: "cache");
        }
        catch (Exception e) when (AtomicFile.IsFileTrouble(e))
        {
            _unused = problem = Trouble("can't be read", e);
            return null;
        }
    }

    /// <summary>Takes what the directory tells. What was read from a cache is no news.</summary>
    public void Note(DirectoryEvent told)
    {
        lock (_gate)
        {
            if (told is DirectorySnapshot { IsFromCache: false } snapshot)
                Replace(snapshot);
            else if (told is DirectoryDelta delta && _hasAll)
                Change(delta);
        }
    }

    private void Replace(DirectorySnapshot snapshot)
    {
        _records.Clear();
        foreach (DirectoryRecord record in snapshot.Records)
            _records[record.Key] = record;
        (_revision, _hasAll, _changed) = (snapshot.Revision, true, true);
    }

    private void Change(DirectoryDelta delta)
    {
        foreach (DirectoryChange change in delta.Changes)
        {
            if (change.Record is null)
                _records.Remove(change.Key);
            else
                _records[change.Key] = change.Record;
        }

        foreach (RejectedRecord rejected in delta.Rejected)
        {
            if (rejected.Means is { } gone)
                _records.Remove(gone);
        }

        (_revision, _changed) = (delta.Revision, true);
    }

    /// <summary>Saves what has changed until cancelled, and once more then.</summary>
    /// <param name="tell">Told on every change: a sentence, or null when saving works again.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Action<string?> tell, CancellationToken stop)
    {
        string? told = _unused;
        TimeSpan pause = timings.Cache;
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            long start = time.GetTimestamp();
            string? problem = await SaveAsync().ConfigureAwait(false);
            TimeSpan idle = time.GetElapsedTime(start) * LeastIdleShare;
            pause = idle > timings.Cache ? idle : timings.Cache;
            if (problem != told)
                tell(told = problem);
        }
    }

    /// <summary>Writes the file if something has changed. Null, or a sentence why it couldn't be, or why what is there isn't used.</summary>
    public Task<string?> SaveAsync() => Task.Run(() =>
    {
        lock (_saving)
            return Take() is { } content ? _unused = Save(content) : _unused;
    });

    private CacheContent? Take()
    {
        lock (_gate)
        {
            if (!_changed)
                return null;
            _changed = false;
            return new CacheContent(_revision, time.GetUtcNow().ToUnixTimeMilliseconds(), [.. _records.Values]);
        }
    }

    private string? Save(CacheContent content)
    {
        try
        {
            AtomicFile.Write(path, file => _format.Write(file, content));
            return null;
        }
        catch (Exception e) when (AtomicFile.IsFileTrouble(e))
        {
            lock (_gate)
                _changed = true;
            return Trouble("can't be written", e);
        }
    }

    private string Trouble(string what, Exception e) =>
        $"The cache {VtepConfigRules.Quote(path)} {what}: {VtepConfigRules.Escape(e.Message)} Check the directory, its owner and the space on its disk.";
}
