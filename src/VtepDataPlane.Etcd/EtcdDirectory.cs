// A directory on etcd, put together: one connection, a reader, a publisher, lookups, a cache on disk. Reader and publisher know nothing of each
// other's state: who may not read can still write, and the other way round. All they tell goes through one channel, and is shown on its way to those
// who live by it: lookups keep the nodes, the cache all records, and the publisher sees what others did to this node's keys.

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Etcd;

/// <summary>Records of one etcd cluster.</summary>
public sealed class EtcdDirectory : IDirectory
{
    private const int MostWaiting = 16; // events the VTEP hasn't taken yet; then the reader waits

    private readonly EtcdConnection _connection;
    private readonly RecordCodec _codec;
    private readonly EtcdOptions _options;
    private readonly EtcdReader _reader;
    private readonly EtcdPublisher _publisher;
    private readonly EtcdLookup _lookup;
    private readonly DirectoryCache? _cache;
    private readonly FloodNodes _nodes = new();
    private readonly DirectoryHealth _health = new();
    private readonly Channel<DirectoryEvent> _events = Channel.CreateBounded<DirectoryEvent>(MostWaiting);
    private readonly string? _instanceProblem;

    /// <summary>A directory that connects when it is run, or asked.</summary>
    /// <param name="options">Which etcd, and who we are.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">For the jitter of pauses; this directory's own, it isn't thread-safe.</param>
    public EtcdDirectory(EtcdOptions options, TimeProvider time, Random random)
        : this(options, new EtcdTimings(), time, random)
    {
    }

    internal EtcdDirectory(EtcdOptions options, EtcdTimings timings, TimeProvider time, Random random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfZero(options.Endpoints.Count, nameof(options));
        _options = options;
        _codec = new RecordCodec(new EtcdLayout(options.Prefix));
        _connection = new EtcdConnection(options, timings, time);
        _reader = new EtcdReader(_connection, _codec, timings, time, random);
        _lookup = new EtcdLookup(_connection, _codec, _nodes);
        _cache = options.CacheFile is { } file ? new DirectoryCache(file, _codec, timings, time) : null;
        Guid instance = NodeInstance.LoadOrMake(options.CacheFile, out _instanceProblem);
        _publisher = new EtcdPublisher(_connection, options, timings, time, _codec, instance, Tell(DirectoryHealth.Party.Publisher));
    }

    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => DirectoryCapabilities.Publish | DirectoryCapabilities.Lookup;

    /// <inheritdoc/>
    public void Require(DirectoryScope scope) => _reader.Require(scope);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        if (LoadCache() is { } known)
            yield return known;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] running = [.. Parts(own, ended.Token).Select(WatchedAsync)];
        try
        {
            await foreach (DirectoryEvent told in _events.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (PassOn(told) is { } news)
                    yield return news;
            }
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop)
    {
        try
        {
            KeyRange range = _reader.Range;
            DirectorySnapshot all = await ReadRangeAsync(range, stop).ConfigureAwait(false);
            if (range == _codec.Layout.All)
                return all;
            DirectorySnapshot own = await ReadRangeAsync(_codec.Layout.StationsOf(_options.Node), stop).ConfigureAwait(false);
            return all with { Records = [.. all.Records, .. own.Records], Rejected = [.. all.Rejected, .. own.Rejected] };
        }
        catch (EtcdException)
        {
            return null; // the reader has the same trouble, and says it
        }
    }

    /// <inheritdoc/>
    public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop) => _lookup.AskAsync(key, stop);

    /// <inheritdoc/>
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => new(_publisher.WriteAsync(change, stop));

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop) => new(_publisher.ReleaseAsync(stop));

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _publisher.Dispose();
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private DirectorySnapshot? LoadCache()
    {
        string? problem = null;
        DirectorySnapshot? known = _cache?.Load(out problem);
        if ((problem ?? _instanceProblem) is { } trouble)
            _health.Take(new DirectoryHealth.Word(DirectoryHealth.Party.Files, new DirectoryStatus(DirectoryState.Connected, trouble)));
        if (known is not null)
            _nodes.Apply(known);
        return known;
    }

    private IEnumerable<Task> Parts(LocalRecords own, CancellationToken stop)
    {
        yield return _reader.RunAsync(_events.Writer, stop);
        yield return _publisher.RunAsync(own, stop);
        if (_cache is not null)
        {
            Action<DirectoryStatus?> tell = Tell(DirectoryHealth.Party.Files);
            yield return _cache.RunAsync(problem => tell(new DirectoryStatus(DirectoryState.Connected, problem)), stop);
        }
    }

    // A part that ends by what it doesn't expect must not be silence: it goes to whoever takes the events.
    private async Task WatchedAsync(Task part)
    {
        try
        {
            await part.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _events.Writer.TryComplete(e);
        }
    }

    private DirectoryEvent? PassOn(DirectoryEvent told)
    {
        if (told is DirectoryHealth.Word word)
            return _health.Take(word);
        _nodes.Apply(told);
        if (told is DirectoryStatus status)
            return _health.Take(new DirectoryHealth.Word(DirectoryHealth.Party.Reader, status));
        _cache?.Note(told);
        if (told is DirectoryDelta delta)
            _publisher.Seen(delta);
        else
            _publisher.Compare();
        return told;
    }

    // Words are few and hold nobody up: one that finds the channel full waits there by itself.
    private Action<DirectoryStatus?> Tell(DirectoryHealth.Party party) => status => _ = TellAsync(new DirectoryHealth.Word(party, status));

    private async Task TellAsync(DirectoryHealth.Word word)
    {
        try
        {
            await _events.Writer.WriteAsync(word).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // the directory has ended by a mistake of ours, which is told
        }
    }

    private async Task<DirectorySnapshot> ReadRangeAsync(KeyRange range, CancellationToken stop) =>
        (await new EtcdPages(_connection, _codec).ReadAsync(range, "asked", stop).ConfigureAwait(false)).Snapshot;
}
