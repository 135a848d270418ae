using NUnit.Framework;
using VtepDataPlane.Discovery;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class ResolverTests
{
    private static Claim Claim(int host, uint sequence = 0, bool sticky = false, bool held = false) => new($"h{host}", Endpoint(host), sequence, sticky, held);

    private static string Decide(string? frozen, params Claim[] claims)
    {
        Claim winner = Resolver.Choose(claims, frozen)!.Value;
        Assert.That(Resolver.Choose([.. claims.Reverse()], frozen), Is.EqualTo(winner), "the order of claims has no say");
        return $"{winner.Owner}: {Resolver.Why(claims, winner, frozen)}";
    }

    [Test]
    public void WithoutClaims_NobodyWins() => Assert.That(Resolver.Choose([]), Is.Null);

    [Test]
    public void ASingleClaim_Wins() => Assert.That(Decide(null, Claim(2, 5)), Is.EqualTo("h2: only claim"));

    [Test]
    public void SeveralClaimsOfOneNode_AreOne() => Assert.That(Decide(null, Claim(2, 5), Claim(2, 5)), Is.EqualTo("h2: only claim"));

    [Test]
    public void TheHighestSequence_Wins() => Assert.That(Decide(null, Claim(2, 6), Claim(3, 7), Claim(4, 0)), Is.EqualTo("h3: highest sequence 7"));

    [Test]
    public void ASequence_IsANumberWithoutSign() => Assert.That(Decide(null, Claim(2, 1), Claim(3, uint.MaxValue)), Is.EqualTo("h3: highest sequence 4294967295"));

    [Test]
    public void Sticky_BeatsAnySequence() => Assert.That(Decide(null, Claim(2, 9), Claim(3, sticky: true)), Is.EqualTo("h3: sticky"));

    [Test]
    public void AmongEqualSequences_TheLowestVtepAddressWins() => Assert.That(Decide(null, Claim(20, 3), Claim(3, 3)), Is.EqualTo("h3: lowest VTEP address"));

    [Test]
    public void AtOneAddress_TheLowestIdWins() =>
        Assert.That(Decide(null, Claim(3) with { Owner = "b" }, Claim(3) with { Owner = "B" }), Is.EqualTo("B: lowest node id"));

    [Test]
    public void AClaimTheStoreHas_BeatsAHeldOne() => Assert.That(Decide(null, Claim(2, 9, held: true), Claim(3)), Is.EqualTo("h3: the others are withdrawn"));

    [Test]
    public void AFrozenStation_StaysWhereItIs_WhileItsOwnerClaimsIt()
    {
        Assert.That(Decide("h2", Claim(2, 5), Claim(3, 9)), Is.EqualTo("h2: frozen"));
        Assert.That(Decide("h2", Claim(3, 9), Claim(4, 5)), Is.EqualTo("h3: highest sequence 9"));
    }
}
