// The domains by VNI, sorted once for each published state: with ten thousand of them, sorting is what a scrape would cost. Any thread.

using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Diagnostics;

/// <summary>The published domains in a fixed order.</summary>
internal sealed class OrderedDomains(Forwarder forwarder)
{
    private Ordered _last = new(null, []);

    /// <summary>The domains there are now.</summary>
    public IReadOnlyList<BridgeDomain> Read()
    {
        ForwardingState state = forwarder.State;
        Ordered last = Volatile.Read(ref _last);
        if (last.State != state)
            Volatile.Write(ref _last, last = new Ordered(state, [.. state.Domains.OrderBy(domain => domain.Vni)]));
        return last.Domains;
    }

    private sealed record Ordered(ForwardingState? State, BridgeDomain[] Domains);
}
