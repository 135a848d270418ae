// Who moves and who stands still, on numbers instead of threads, and on a worker that is held up.

using NUnit.Framework;
using VtepDataPlane.Linux.Workers;

namespace VtepDataPlane.Tests.Linux;

internal sealed class LivenessTests
{
    [Test]
    public void AThreadThatAnswers_Moves()
    {
        var liveness = new Liveness();
        long passes = 0;
        liveness.Watch("Worker a", () => passes, () => passes++);
        for (long now = 0; now < 60_000; now += 7_000)
            Assert.That(liveness.FindStall(now), Is.Null);
        Assert.That(passes, Is.EqualTo(9), "asked once a look");
    }

    [Test]
    public void AThreadThatDoesNotAnswer_StandsStill_AfterTwoSeconds_AndIsNotAskedAgain()
    {
        var liveness = new Liveness();
        long passes = 0;
        int asked = 0;
        liveness.Watch("Worker a", () => passes, () => asked++);
        int answered = 0;
        liveness.Watch("Worker b", () => answered, () => answered++);
        Assert.That(liveness.FindStall(10_000), Is.Null);
        Assert.That(liveness.FindStall(12_000), Is.Null);
        Assert.That(liveness.FindStall(12_001), Is.EqualTo("Worker a hasn't moved for 2.0 s."));
        Assert.That(liveness.FindStall(13_234), Is.EqualTo("Worker a hasn't moved for 3.2 s."));
        Assert.That(asked, Is.EqualTo(1));

        passes++;
        Assert.That(liveness.FindStall(14_000), Is.Null);
        Assert.That(asked, Is.EqualTo(2));
    }

    [Test]
    public void AfterTheEnd_NobodyIsAsked()
    {
        var liveness = new Liveness();
        liveness.Watch("Worker a", () => 0, () => throw new InvalidOperationException("asked"));
        liveness.End();
        Assert.That(liveness.FindStall(10_000), Is.Null);
    }
}
