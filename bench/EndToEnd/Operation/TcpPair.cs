// Two hosts, a VTEP with ten domains on each, and a TCP stream that can be sent over the first domain: the load of the scenario tcp-1.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Both VTEPs, ready; gone on disposal.</summary>
internal sealed class TcpPair : IDisposable
{
    private const double ReachLimit = 20;
    private readonly Topology _topology = new(new UnderlayPlan());

    /// <param name="dashboard">The VTEPs serve their dashboards.</param>
    public TcpPair(bool dashboard = false)
    {
        try
        {
            One = new OperatedVtep(Entrants.VtepProgram, _topology.One, _topology.Two, dashboard);
            Two = new OperatedVtep(Entrants.VtepProgram, _topology.Two, _topology.One, dashboard);
            One.AwaitReady();
            Two.AwaitReady();
            Wait.Until("packets cross", ReachLimit, () => _topology.One.Reaches(_topology.Two.Inner(v6: false)));
            Iperf = new Iperf(_topology.One, _topology.Two);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public OperatedVtep One { get; } = null!;

    public OperatedVtep Two { get; } = null!;

    /// <summary>From host 1 to host 2.</summary>
    public Iperf Iperf { get; } = null!;

    /// <inheritdoc/>
    public void Dispose()
    {
        Iperf?.Dispose();
        One?.Dispose();
        Two?.Dispose();
        _topology.Dispose();
    }
}
