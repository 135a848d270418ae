// One status from three parties: the reader, the publisher, the files on disk. The reader's trouble comes first, for a store that can't be read
// can't be written either; then the publisher's; then that of the files, which keeps nobody from working.

using VtepDataPlane.Discovery;

namespace VtepDataPlane.Etcd;

/// <summary>Puts statuses together. One thread at a time.</summary>
internal sealed class DirectoryHealth
{
    private DirectoryStatus _reading = new(DirectoryState.Connecting);
    private DirectoryStatus? _publishing;
    private string? _files;
    private DirectoryStatus? _told;

    /// <summary>Which party tells something.</summary>
    public enum Party
    {
        /// <summary>The reader; always has a status.</summary>
        Reader,

        /// <summary>The publisher; null when it has no trouble.</summary>
        Publisher,

        /// <summary>Cache and instance; only the problem counts.</summary>
        Files,
    }

    /// <summary>On its way through the channel of events.</summary>
    public sealed record Word(Party Party, DirectoryStatus? Status) : DirectoryEvent;

    /// <summary>Takes a word; the status as it is now, or null when it is as it was.</summary>
    public DirectoryStatus? Take(Word word)
    {
        if (word.Party == Party.Reader)
            _reading = word.Status!;
        else if (word.Party == Party.Publisher)
            _publishing = word.Status;
        else
            _files = word.Status?.Problem;
        DirectoryStatus now = Now();
        return now == _told ? null : _told = now;
    }

    private DirectoryStatus Now()
    {
        if (_reading.State != DirectoryState.Connected)
            return _reading;
        return _publishing ?? _reading with { Problem = _files };
    }
}
