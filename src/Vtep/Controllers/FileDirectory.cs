// A directory in a file: for a handful of nodes whose stations are known in advance, written by hand or by a program that knows them. It is
// read whole and believed whole. A file that is missing, half-written or wrong changes nothing: what it said last stays in force, and
// the status says what is wrong with it, mistake by mistake.
//
// One task reads (RunAsync). Signs of change come from FileWatch's threads, through a channel that holds one; they come in bursts, so
// reading waits until there was none for DebounceTime. Other members may be called from any thread.

using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>A directory read from a file. It can't be published to.</summary>
/// <param name="path">Absolute path of the file.</param>
/// <param name="defaultPort">The UDP port of VTEPs that are written without one.</param>
/// <param name="logger">For the operator.</param>
/// <param name="time">The clock of the pauses.</param>
internal sealed class FileDirectory(string path, ushort defaultPort, ILogger logger, TimeProvider time) : IDirectory
{
    /// <summary>How long there must be no sign of change before the file is read.</summary>
    public static readonly TimeSpan DebounceTime = TimeSpan.FromMilliseconds(200);

    /// <summary>How often the file's stamp is looked at, should there be no signs.</summary>
    public static readonly TimeSpan StampTime = TimeSpan.FromSeconds(2);

    private const int MostPostponements = 10;
    private const int MostMistakesTold = 3;

    private readonly string _file = VtepConfigRules.Escape(path);
    private readonly Channel<bool> _signs = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private DirectoryScope _scope = new(Stations: true);
    private DirectorySnapshot? _known;
    private string? _hash;
    private string? _problem;
    private DirectoryState _state = DirectoryState.Connecting;
    private bool _isAsked;
    private long _revision;

    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => DirectoryCapabilities.None;

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        using var watch = new FileWatch(path, Sign);
        while (!stop.IsCancellationRequested)
        {
            watch.Refresh();
            (DateTime Written, long Length) stamp = Stamp();
            foreach (DirectoryEvent told in Take(Read()))
                yield return told;
            await WaitForSignAsync(stamp, stop);
        }
    }

    /// <inheritdoc/>
    public void Require(DirectoryScope scope)
    {
        lock (_gate)
        {
            _scope = scope;
            _isAsked = true;
        }

        Sign();
    }

    /// <inheritdoc/>
    public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop)
    {
        Reading reading = Read();
        lock (_gate)
        {
            return ValueTask.FromResult(reading.Content is { } content
                ? Scoped(new DirectorySnapshot(content.Generation ?? _revision, content.Records, [], Cause: "audit")) : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop)
    {
        DirectorySnapshot? known;
        lock (_gate)
            known = _known;
        if (known is null)
            return ValueTask.FromResult(LookupResult.NoAnswer);
        DirectoryRecord[] claims = [.. known.Records.Where(record => Answers(record, key))];
        return ValueTask.FromResult(claims.Length == 0 ? LookupResult.NotFound : new LookupResult(LookupOutcome.Found, claims));
    }

    /// <inheritdoc/>
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) =>
        ValueTask.FromResult<string?>($"{_file} is a file, which is read and never written by vtep; edit it, it is read again at once.");

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop) =>
        ValueTask.FromResult<string?>($"{_file} is a file, to which nothing was published; take this node out of it to withdraw it.");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static bool Answers(DirectoryRecord record, LookupKey key) =>
        key.Address.IsNone ? record is MacRecord mac && mac.Vni == key.Vni && mac.Mac == key.Mac
        : record is NeighborRecord neighbor && neighbor.Vni == key.Vni && neighbor.Address == key.Address;

    private void Sign() => _signs.Writer.TryWrite(true);

    // The file as it is now, or why there is nothing to be had from it.
    private Reading Read()
    {
        try
        {
            using FileStream file = ConfigFile.Open(path);
            if (File.GetUnixFileMode(file.SafeFileHandle).HasFlag(UnixFileMode.OtherWrite))
                return new Reading($"everybody may write to {_file}, so it isn't believed; run chmod o-w on it", IsRefused: true);
            if (ConfigFile.ReadAll(file) is not { } bytes)
                return new Reading($"{_file} has more than {ConfigFile.MaxSize >> 20} MiB; a directory has less");
            DirectoryFileContent content = DirectoryFile.Parse(path, bytes, defaultPort);
            return content.Problems.Count > 0 ? new Reading(Listed(content.Problems))
                : new Reading(null, Content: content, Hash: Convert.ToHexString(SHA256.HashData(bytes)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new Reading(Describe(error));
        }
    }

    private string Listed(IReadOnlyList<ConfigProblem> problems)
    {
        string first = string.Join(" | ", problems.Take(MostMistakesTold));
        string more = problems.Count > MostMistakesTold ? $" | and {problems.Count - MostMistakesTold} more" : "";
        return problems.Count == 1 ? $"there is a mistake in {_file}: {first}" : $"there are {problems.Count} mistakes in {_file}: {first}{more}";
    }

    private string Describe(Exception error) => error switch
    {
        _ when Directory.Exists(path) => $"{_file} is a directory; put the directory file's own path into the configuration",
        FileNotFoundException or DirectoryNotFoundException => $"there is no file {_file}; put it there, it is read as soon as it appears",
        UnauthorizedAccessException => $"{_file} can't be read: permission denied; make it readable for this user",
        _ => $"{_file} can't be read: {VtepConfigRules.Escape(error.Message.TrimEnd('.'))}; see to it, it is tried again",
    };

    // What a reading means for those who listen: a snapshot if it says something new, a status if that is new.
    private List<DirectoryEvent> Take(Reading reading)
    {
        var told = new List<DirectoryEvent>();
        lock (_gate)
        {
            if (reading.Content is { } content && reading.Hash != _hash)
                Learn(content, reading.Hash!);
            else if (!_isAsked || _known is null)
                return Status(told, reading);
            if (_known is not null)
                told.Add(Scoped(_known));
            _isAsked = false;
            return Status(told, reading);
        }
    }

    private void Learn(DirectoryFileContent content, string hash)
    {
        string cause = _known is null ? "start" : "changed";
        _revision = content.Generation ?? _revision + 1;
        _known = new DirectorySnapshot(_revision, content.Records, [], Cause: cause);
        _hash = hash;
        logger.DirectoryRead(_file, _revision, content.Records.Count);
    }

    private List<DirectoryEvent> Status(List<DirectoryEvent> told, Reading reading)
    {
        string? problem = reading.Problem is { } why ? $"{char.ToUpperInvariant(why[0])}{why[1..]}. {Consequence()}" : null;
        DirectoryState state = problem is null ? DirectoryState.Connected : reading.IsRefused ? DirectoryState.Refused : DirectoryState.Degraded;
        if (state == _state && problem == _problem)
            return told;
        if (problem is not null)
            logger.DirectoryNotRead(problem);
        (_state, _problem) = (state, problem);
        told.Add(new DirectoryStatus(state, problem));
        return told;
    }

    private string Consequence() => _known is null ? "Nothing is known of other VTEPs until then." : "What it said before stays in force until then.";

    private DirectorySnapshot Scoped(DirectorySnapshot snapshot) => _scope.Stations ? snapshot
        : snapshot with { Records = [.. snapshot.Records.Where(record => record is VtepRecord or FloodRecord)] };

    private (DateTime Written, long Length) Stamp()
    {
        try
        {
            // Through all links: a FileInfo alone is about the link.
            var file = new FileInfo(path);
            FileSystemInfo real = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            return (real.LastWriteTimeUtc, real is FileInfo { Exists: true } found ? found.Length : -1);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (default, -1);
        }
    }

    private async Task WaitForSignAsync((DateTime Written, long Length) stamp, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !await SignWithinAsync(StampTime, stop))
        {
            if (Stamp() != stamp)
                return;
        }

        for (int i = 0; i < MostPostponements && await SignWithinAsync(DebounceTime, stop); i++)
            ;
    }

    private async Task<bool> SignWithinAsync(TimeSpan most, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            return await _signs.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private readonly record struct Reading(string? Problem, bool IsRefused = false, DirectoryFileContent? Content = null, string? Hash = null);
}
