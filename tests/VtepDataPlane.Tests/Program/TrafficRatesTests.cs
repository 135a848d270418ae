// The arithmetic of vtep top: given samples in, rates out.

using NUnit.Framework;
using VtepDataPlane.Daemon.Top;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class TrafficRatesTests
{
    [Test]
    public void Rates_AreDifferencesOverTheTimeBetween()
    {
        TrafficRates rates = TrafficRates.Between(
            Samples.Of(10, [Samples.Domain("blue", 100, (5, 500), (7, 700), drops: 2)], [Samples.Peer("198.18.0.2", rx: (1, 100), tx: (2, 200))], drops: 3),
            Samples.Of(12, [Samples.Domain("blue", 100, (25, 2500), (8, 800), drops: 6)], [Samples.Peer("198.18.0.2", rx: (3, 350), tx: (2, 200))], drops: 4));

        Assert.That((rates.Seconds, rates.Restarted, rates.DropsPerSecond), Is.EqualTo(((double?)2, false, (double?)0.5)));
        Assert.That(rates.Domains[0].ToUnderlay, Is.EqualTo(new FlowRate(10, 8000)));
        Assert.That(rates.Domains[0].FromUnderlay, Is.EqualTo(new FlowRate(0.5, 400)));
        Assert.That(rates.Domains[0].DropsPerSecond, Is.EqualTo(2));
        Assert.That((rates.Peers[0].Rx, rates.Peers[0].Tx), Is.EqualTo((new FlowRate(1, 1000), new FlowRate(0, 0))));
        Assert.That(rates.Drops, Is.EqualTo(new[] { new DropRate("vni_not_found", 0.5, 4) }));
        Assert.That((rates.ToUnderlay, rates.FromUnderlay), Is.EqualTo((new FlowRate(10, 8000), new FlowRate(0.5, 400))));
    }

    [Test]
    public void FirstSample_HasTotals_AndNoRates()
    {
        TrafficRates rates = TrafficRates.Between(null, Samples.Busy(1));

        Assert.That((rates.Seconds, rates.DropsPerSecond, rates.Restarted), Is.EqualTo(((double?)null, (double?)null, false)));
        Assert.That(rates.ToUnderlay, Is.EqualTo(FlowRate.Unknown));
        Assert.That(rates.Domains.Select(domain => domain.ToUnderlay), Is.All.EqualTo(FlowRate.Unknown));
        Assert.That(rates.Drops[0].Total, Is.EqualTo(10));
    }

    [Test]
    public void CountersThatFell_AreADaemonStartedAnew()
    {
        TrafficRates rates = TrafficRates.Between(Samples.Busy(2), Samples.Busy(1) with { At = TimeSpan.FromSeconds(9) });

        Assert.That((rates.Restarted, rates.Seconds), Is.EqualTo((true, (double?)null)));
        Assert.That(rates.Domains.Select(domain => domain.FromUnderlay), Is.All.EqualTo(FlowRate.Unknown));
        Assert.That(TrafficRates.Between(Samples.Busy(1), Samples.Busy(2)).Restarted, Is.False);
    }

    [Test]
    public void NoTimeBetween_IsNoRate()
    {
        TrafficRates rates = TrafficRates.Between(Samples.Busy(1), Samples.Busy(2) with { At = TimeSpan.FromSeconds(1) });

        Assert.That(rates.DropsPerSecond, Is.Null);
        Assert.That(rates.Domains.Select(domain => domain.ToUnderlay), Is.All.EqualTo(FlowRate.Unknown));
    }

    [Test]
    public void DomainsAndPeers_MayComeAndGo_AndOneThatCameBackHasNoRate()
    {
        TrafficRates rates = TrafficRates.Between(
            Samples.Of(1, [Samples.Domain("gone", 1, (9, 9), (9, 9)), Samples.Domain("back", 2, (9, 9), (9, 9)), Samples.Domain("stays", 3, (9, 90), (9, 90))], [Samples.Peer("198.18.0.2")]),
            Samples.Of(2, [Samples.Domain("new", 4, (5, 5), (5, 5)), Samples.Domain("back", 2, (3, 3), (3, 3)), Samples.Domain("stays", 3, (10, 100), (9, 90))], [Samples.Peer("198.18.0.3")]));

        Assert.That(rates.Domains.Select(domain => (domain.Name, domain.ToUnderlay.FramesPerSecond)),
            Is.EqualTo(new (string, double?)[] { ("stays", 1), ("back", null), ("new", null) }));
        Assert.That(rates.ToUnderlay, Is.EqualTo(new FlowRate(1, 80)));
        Assert.That(rates.Peers.Single().Rx, Is.EqualTo(FlowRate.Unknown));
    }

    [Test]
    public void TheBusiestComesFirst()
    {
        TrafficRates rates = TrafficRates.Between(Samples.Busy(1), Samples.Busy(2));

        Assert.That(rates.Domains.Select(domain => domain.Name), Is.EqualTo(Enumerable.Range(1, 30).Reverse().Select(i => $"domain-{i}")));
        Assert.That(rates.Peers.Select(peer => peer.Rx.FramesPerSecond), Is.Ordered.Descending);
    }

    [Test]
    public void ReasonThatHadNotOccurred_CountsFromZero() => Assert.That(
        TrafficRates.Between(Samples.Of(1, [], []), Samples.Of(3, [], [], drops: 4)).Drops.Single().PerSecond, Is.EqualTo(2));
}
