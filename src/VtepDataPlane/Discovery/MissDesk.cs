// Questions of lanes to a controller, in domains that look up: one question in flight for each key, however many lanes and frames wait.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Asks a directory for lanes. Control loop only, but for the answers, which come from anywhere.</summary>
/// <param name="directory">Who is asked.</param>
/// <param name="answered">Called from any thread with an answer, for the control loop to take up: what is found goes into the tables first.</param>
#pragma warning disable CS9113, CA1822 // to be written
internal sealed class MissDesk(IDirectory directory, Action<LookupKey, LookupResult> answered) : IDisposable
{
    /// <summary>Questions asked.</summary>
    public long Asked => throw new NotImplementedException();

    /// <summary>Answered with records.</summary>
    public long Found => throw new NotImplementedException();

    /// <summary>Not answered in time.</summary>
    public long Unanswered => throw new NotImplementedException();

    /// <summary>A lane misses something. Asked once, whoever asks meanwhile.</summary>
    public void Ask(int lane, MissKey miss, Vni vni, ControllerDiscovery discovery) => throw new NotImplementedException();

    /// <summary>An answer will soon be too old: asked again, nobody waits for it.</summary>
    public void Refresh(LookupKey key, ControllerDiscovery discovery) => throw new NotImplementedException();

    /// <summary>The control loop has taken an answer up: tells the lanes that wait for it.</summary>
    /// <param name="key">What was asked.</param>
    /// <param name="result">The answer.</param>
    /// <param name="tell">Lane, key and answer, once for each lane that waits.</param>
    public void Tell(LookupKey key, LookupResult result, Action<int, MissKey, MissAnswer> tell) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
