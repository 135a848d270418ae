// Ports and underlays of a program's own are called by our threads and are not trusted to be right. A guard stands around each: what is thrown inside
// takes the object out of service, with a sentence that says what happened, and ends there: the lane, the control loop and other ports go on. Ports and
// underlays that come with the library have no guard, and cost nothing by it.
//
// One guard an object, shared by its queues. Any thread.

namespace VtepDataPlane.Frames;

/// <summary>What a port, an underlay or a subscriber of the program did that it may not.</summary>
/// <param name="What">Which one: "Port p1".</param>
/// <param name="Text">A sentence for the operator.</param>
/// <param name="Cause">What it threw; null when it broke its contract without throwing.</param>
public sealed record VtepFault(string What, string Text, Exception? Cause);

/// <summary>Keeps what is wrong with one object of the program.</summary>
/// <param name="what">The start of a sentence: "Port p1".</param>
/// <param name="consequence">What follows for its frames, a sentence.</param>
internal sealed class Guard(string what, string consequence)
{
    private readonly Lock _gate = new();
    private VtepFault? _fault;
    private Action<VtepFault>? _report;

    /// <summary>It has thrown, or broken its contract: it is out of service.</summary>
    public bool HasFailed => Volatile.Read(ref _fault) is not null;

    /// <summary>What happened, a sentence; null: nothing.</summary>
    public string? Problem => Volatile.Read(ref _fault)?.Text;

    /// <summary>Who is told, once, from whatever thread it happens on; also of what has happened already.</summary>
    public void ReportTo(Action<VtepFault> report)
    {
        VtepFault? fault;
        lock (_gate)
        {
            _report = report;
            fault = _fault;
        }

        if (fault is not null)
            report(fault);
    }

    /// <summary>Takes it out of service for what it threw; only the first time counts.</summary>
    public void Threw(string member, Exception cause) =>
        Fail($"its {member} threw {cause.GetType().Name}: {cause.Message.TrimEnd('.')}", cause);

    /// <summary>Takes it out of service for what it did, a clause; only the first time counts.</summary>
    public void Fail(string clause, Exception? cause = null)
    {
        Action<VtepFault>? report;
        var fault = new VtepFault(what, $"{what} is out of service: {clause}. {consequence}", cause);
        lock (_gate)
        {
            if (_fault is not null)
                return;
            Volatile.Write(ref _fault, fault);
            report = _report;
        }

        report?.Invoke(fault);
    }

    /// <summary>Asks it something; <paramref name="otherwise"/> when it throws, or has before.</summary>
    /// <param name="member">What is asked, for the sentence.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="otherwise">The answer when there is none.</param>
    /// <param name="evenFailed">Ask also when it is out of service: to close it.</param>
    public T Ask<T>(string member, Func<T> ask, T otherwise, bool evenFailed = false)
    {
        if (HasFailed && !evenFailed)
            return otherwise;
        try
        {
            return ask();
        }
#pragma warning disable CA1031 // whatever it is, it is the program's, and told to the operator
        catch (Exception e)
#pragma warning restore CA1031
        {
            Threw(member, e);
            return otherwise;
        }
    }

    /// <summary>Asks it something when it is taken up: what goes wrong then is the caller's to know.</summary>
    /// <exception cref="VtepException">It threw.</exception>
    public T Require<T>(string member, Func<T> ask)
    {
        try
        {
            return ask();
        }
#pragma warning disable CA1031 // whatever it is, it is handed on
        catch (Exception e) when (e is not VtepException)
#pragma warning restore CA1031
        {
            throw new VtepException($"{what} can't be used: its {member} threw {e.GetType().Name}: {e.Message.TrimEnd('.')}.", e);
        }
    }
}
