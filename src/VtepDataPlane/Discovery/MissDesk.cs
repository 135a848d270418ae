// Questions of lanes to a controller, in domains that look up: one question in flight for each key, however many lanes and frames wait.
//
//   Ask --> waits its turn --> in flight --> answered --> Tell
//
// A question lives from Ask to Tell, and whoever asks for its key meanwhile waits with the others. 64 are in flight at most, for a store is a shared
// thing; 4,096 more wait, first come first served; what comes then is answered at once with "no answer", and lanes do without. A question's time
// counts from Ask: one whose turn comes too late isn't put to the store any more.
//
// The source runs on the thread pool, never on the control loop. An exception of the source is a missing answer, and told. A source that doesn't end
// when it is told to leaves a task behind and holds nothing up.
//
// Control loop only, but for what a question in flight does: it touches nothing here but its own fields, and hands the answer over. The counters may be
// read from any thread.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Asks a directory for lanes. Control loop only, but for the answers, which come from anywhere.</summary>
/// <param name="directory">Who is asked.</param>
/// <param name="time">Measures the time a question may take.</param>
/// <param name="answered">
/// Called from any thread with an answer, for the control loop to take up: what is found goes into the tables first, then comes <see cref="Tell"/>, once
/// for each call.
/// </param>
/// <param name="failed">Called from any thread with what the source threw, which it never should.</param>
internal sealed class MissDesk(
    IDirectory directory, TimeProvider time, Action<LookupKey, LookupResult> answered, Action<LookupKey, Exception> failed) : IDisposable
{
    /// <summary>Questions put to the directory at the same time.</summary>
    public const int MostInFlight = 64;

    /// <summary>Questions that wait for their turn.</summary>
    public const int MostWaiting = 4096;

    private readonly Dictionary<LookupKey, Question> _questions = [];
    private readonly Queue<Question> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private int _inFlight;
    private long _asked;
    private long _found;
    private long _unanswered;

    /// <summary>Questions asked.</summary>
    public long Asked => Volatile.Read(ref _asked);

    /// <summary>Answered with records.</summary>
    public long Found => Volatile.Read(ref _found);

    /// <summary>Not answered in time.</summary>
    public long Unanswered => Volatile.Read(ref _unanswered);

    /// <summary>A lane misses something. Asked once, whoever asks meanwhile.</summary>
    public void Ask(int lane, MissKey miss, Vni vni, ControllerDiscovery discovery)
    {
        var key = new LookupKey(vni, miss.Mac, miss.Address);
        if (!_questions.TryGetValue(key, out Question? question))
            question = Open(key, discovery);
        if (!question.Lanes.Contains((lane, miss)))
            question.Lanes.Add((lane, miss));
        if (question.State == QuestionState.New && !TryPut(question))
            answered(key, LookupResult.NoAnswer);
    }

    /// <summary>An answer will soon be too old: asked again, nobody waits for it.</summary>
    public void Refresh(LookupKey key, ControllerDiscovery discovery)
    {
        if (!_questions.ContainsKey(key) && !TryPut(Open(key, discovery)))
            _questions.Remove(key);
    }

    /// <summary>The control loop has taken an answer up: tells the lanes that wait for it.</summary>
    /// <param name="key">What was asked.</param>
    /// <param name="result">The answer.</param>
    /// <param name="tell">Lane, key and answer, once for each lane that waits.</param>
    public void Tell(LookupKey key, LookupResult result, Action<int, MissKey, MissAnswer> tell)
    {
        if (!_questions.Remove(key, out Question? question))
            return;
        MissAnswer answer = Count(result.Outcome);
        foreach ((int lane, MissKey miss) in question.Lanes)
            tell(lane, miss, answer);
        if (question.State == QuestionState.InFlight)
            _inFlight--;
        while (_inFlight < MostInFlight && _waiting.TryDequeue(out Question? next))
            Start(next);
    }

    /// <summary>Gives up all questions. An answer that is just being handed over may still come, none after it.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested)
            return;
        _stop.Cancel();
        _questions.Clear();
        _waiting.Clear();
        _stop.Dispose();
    }

    private Question Open(LookupKey key, ControllerDiscovery discovery)
    {
        var question = new Question(key, time.GetTimestamp(), TimeSpan.FromMilliseconds(discovery.LookupTimeout));
        _questions.Add(key, question);
        return question;
    }

    // True when it will be answered by itself: in flight, or in line.
    private bool TryPut(Question question)
    {
        if (_inFlight < MostInFlight)
        {
            Start(question);
        }
        else if (_waiting.Count < MostWaiting)
        {
            question.State = QuestionState.Waiting;
            _waiting.Enqueue(question);
        }
        else
        {
            question.State = QuestionState.Refused;
        }

        return question.State != QuestionState.Refused;
    }

    private void Start(Question question)
    {
        TimeSpan left = question.Time - time.GetElapsedTime(question.Since);
        question.State = QuestionState.InFlight;
        _inFlight++;
        if (left <= TimeSpan.Zero)
        {
            answered(question.Key, LookupResult.NoAnswer);
            return;
        }

        Volatile.Write(ref _asked, _asked + 1);
        CancellationToken stop = _stop.Token;
        _ = Task.Run(() => LookUpAsync(question.Key, left, stop), stop);
    }

    private async Task LookUpAsync(LookupKey key, TimeSpan left, CancellationToken stop)
    {
        LookupResult result = await AskAsync(key, left, stop).ConfigureAwait(false);
        if (!stop.IsCancellationRequested)
            answered(key, result);
    }

    private async Task<LookupResult> AskAsync(LookupKey key, TimeSpan left, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(left, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            return await directory.LookupAsync(key, end.Token).AsTask().WaitAsync(end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return LookupResult.NoAnswer;
        }
#pragma warning disable CA1031 // whatever it is: a source's mistake must cost an answer, not the control loop
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(key, e);
            return LookupResult.NoAnswer;
        }
    }

    private MissAnswer Count(LookupOutcome outcome)
    {
        if (outcome == LookupOutcome.Found)
            Volatile.Write(ref _found, _found + 1);
        if (outcome == LookupOutcome.NoAnswer)
            Volatile.Write(ref _unanswered, _unanswered + 1);
        return outcome switch
        {
            LookupOutcome.Found => MissAnswer.Found,
            LookupOutcome.NotFound => MissAnswer.NotFound,
            _ => MissAnswer.NoAnswer,
        };
    }

    private enum QuestionState : byte
    {
        New,
        Waiting,
        InFlight,
        Refused,
    }

    private sealed class Question(LookupKey key, long since, TimeSpan time)
    {
        public LookupKey Key { get; } = key;

        public long Since { get; } = since;

        public TimeSpan Time { get; } = time;

        public QuestionState State { get; set; }

        /// <summary>Who waits, and for what in the lane's own words.</summary>
        public List<(int Lane, MissKey Miss)> Lanes { get; } = [];
    }
}
