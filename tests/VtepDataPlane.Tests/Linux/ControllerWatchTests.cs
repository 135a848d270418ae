// What the log says about controllers: each change once, each trouble once, never more than a line a look.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Linux;

namespace VtepDataPlane.Tests.Linux;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ControllerWatchTests
{
    private readonly ControllerWatch _watch = new();
    private long _now = 1_000_000;

    private static ControllerSnapshot Controller(string state, string? problem = null, long seconds = 0, string name = "main") => new(
        name, "h1", state, problem, 0, seconds, null, 0, false, new Dictionary<string, int>(), 0, new Dictionary<string, long>(), 0, 0,
        new Dictionary<string, long>(), 0, 0, 0, 0, 0);

    private static ControllerWarning Trouble(string about, string text) => new("main", about, text);

    private IReadOnlyList<string> See(ControllerSnapshot controller, params ControllerWarning[] warnings)
    {
        _now += 1000;
        return [.. _watch.See(new ControllerReport([controller], warnings), _now).Select(line => $"{(line.IsWarning ? "warning" : "information")}: {line.Text}")];
    }

    [Test]
    public void EachChangeOfState_IsToldOnce_AndHowLongItWasAway()
    {
        Assert.That(See(Controller("connecting")), Is.Empty);
        Assert.That(See(Controller("connected")), Is.EqualTo(new[] { "information: Controller main is connected" }));
        Assert.That(See(Controller("connected")), Is.Empty);
        Assert.That(See(Controller("degraded", "no route\u001b[2J", seconds: 1)), Is.EqualTo(new[] { "warning: Controller main is degraded: no route\\u001b[2J" }));
        Assert.That(See(Controller("degraded", "another reason")), Is.Empty);
        Assert.That(See(Controller("refused", "wrong password")), Is.EqualTo(new[] { "warning: Controller main is refused: wrong password" }));
        Assert.That(See(Controller("connected")), Is.EqualTo(new[] { "information: Controller main is connected again after 4 s" }));
        Assert.That(See(Controller("degraded", "x")).Count + See(Controller("connected")).Count, Is.EqualTo(2));
    }

    [Test]
    public void EachTrouble_IsToldOnceWhenItAppears_EvenIfItsTextCounts()
    {
        See(Controller("connected"));
        Assert.That(See(Controller("connected"), Trouble("shrink", "kept for 30 s")), Is.EqualTo(new[] { "warning: kept for 30 s" }));
        Assert.That(See(Controller("connected"), Trouble("shrink", "kept for 29 s")), Is.Empty);
        Assert.That(See(Controller("connected")), Is.Empty);
        Assert.That(See(Controller("connected"), Trouble("shrink", "kept for 30 s")), Is.EqualTo(new[] { "warning: kept for 30 s" }));
    }

    [Test]
    public void WhatHappensAtOnce_ComesALineALook()
    {
        ControllerWarning[] troubles = [Trouble("away", "the state says it"), Trouble("id", "an id"), Trouble("frozen 100 x", "a station")];
        Assert.That(See(Controller("degraded", "down"), troubles), Is.EqualTo(new[] { "warning: Controller main is degraded: down" }));
        Assert.That(See(Controller("degraded", "down"), troubles), Is.EqualTo(new[] { "warning: an id" }));
        Assert.That(See(Controller("degraded", "down"), troubles), Is.EqualTo(new[] { "warning: a station" }));
        Assert.That(See(Controller("degraded", "down"), troubles), Is.Empty);
    }

    [Test]
    public void EachController_HasLinesOfItsOwn()
    {
        var report = new ControllerReport([Controller("connected"), Controller("connected", name: "other")], []);
        Assert.That(_watch.See(report, _now), Has.Count.EqualTo(2));
    }
}
