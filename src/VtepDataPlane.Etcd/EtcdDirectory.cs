// A directory on etcd, put together: a connection that all share, the reader, lookups. What the reader tells passes through here on its way to
// the VTEP: the nodes that lookups ask are kept from it.

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
    private readonly EtcdLookup _lookup;
    private readonly FloodNodes _nodes = new();

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
    }

    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => DirectoryCapabilities.Publish | DirectoryCapabilities.Lookup;

    /// <inheritdoc/>
    public void Require(DirectoryScope scope) => _reader.Require(scope);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        var events = Channel.CreateBounded<DirectoryEvent>(MostWaiting);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task reader = ReadOnAsync(events.Writer, ended.Token);
        try
        {
            await foreach (DirectoryEvent told in events.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                _nodes.Apply(told);
                yield return told;
            }
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await reader.ConfigureAwait(false);
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
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    // What the reader doesn't expect must not be silence: it goes to whoever takes the events.
    private async Task ReadOnAsync(ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        try
        {
            await _reader.RunAsync(events, stop).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            events.TryComplete(e);
        }
    }

    private async Task<DirectorySnapshot> ReadRangeAsync(KeyRange range, CancellationToken stop) =>
        (await new EtcdPages(_connection, _codec).ReadAsync(range, "asked", stop).ConfigureAwait(false)).Snapshot;
}
