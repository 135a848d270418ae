// The service manager and its watchdog: READY when everything is up, signs of life while every thread moves, and none when one of them
// stands still. A thread is stopped alone, with ptrace; nothing else of the process notices.

using System.Net.Sockets;
using System.Runtime.InteropServices;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class WatchdogTests
{
    private const int Interval = 1500;
    private Lab _lab = null!;

    private LabHost Host => _lab.Hosts[0];

    [SetUp]
    public void MakeLab() => _lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);

    [TearDown]
    public void DeleteLab() => _lab.Dispose();

    [TestCase("vtep-lane-0", "Worker vtep-lane-0 hasn't moved for ")]
    [TestCase("vtep-control", "The control loop vtep-control hasn't moved for ")]
    public void AThreadThatStandsStill_EndsTheSignsOfLife_UntilItMovesAgain(string thread, string sentence)
    {
        using ServiceRun run = Start();
        using (new StoppedThread(run.Process.Id, thread))
        {
            Wait.Until("the stall is in the status", () => Stalls(run, sentence) > 0, 10, () => run.Told);
            int signs = run.SignsOfLife;
            Wait.Until("the stall goes on", () => Stalls(run, sentence) > 3, 10, () => run.Told);
            Assert.That(run.SignsOfLife, Is.EqualTo(signs), run.Told);
            Assert.That(run.Process.Lines.Count(line => line.Contains(sentence, StringComparison.Ordinal)), Is.EqualTo(1), run.Told);
        }

        int before = run.SignsOfLife;
        Wait.Until("the signs of life are back", () => run.SignsOfLife > before + 1, 10, () => run.Told);
        Assert.That(run.Process.Text, Does.Contain("Every thread moves again"));
        Assert.That(run.Manager.Messages.Last(message => message.StartsWith("STATUS=", StringComparison.Ordinal)), Is.EqualTo("STATUS=1 bridge domain, 1 port, 1 peer"));
        run.Stop();
        Assert.That(run.Manager.Messages[^1], Does.StartWith("STOPPING=1\n"));
    }

    // What a quota of 10 % does: 10 ms of running, 90 ms of standing, for the whole process.
    [Test]
    public void AProcessThatGetsATenthOfItsTime_StandsNotStill()
    {
        using ServiceRun run = Start();
        int before = run.SignsOfLife;
        using var enough = new CancellationTokenSource();
        var quota = new Thread(() => Throttle(run.Process.Id, enough.Token));
        quota.Start();
        try
        {
            Wait.Until("signs of life come", () => run.SignsOfLife > before + 8, 15, () => run.Told);
        }
        finally
        {
            enough.Cancel();
            quota.Join();
        }

        Assert.That(Stalls(run, "hasn't moved"), Is.Zero, run.Told);
        run.Stop();
    }

    [Test]
    public void AStartThatFails_IsNeverReady_AndSaysWhy()
    {
        var configuration = VtepRun.Configuration($"{Host.Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2"));
        configuration["bridgeDomains"]![0]!["ports"]![0]!["bridge"] = "nope0";
        using var run = new ServiceRun(Host.Namespace, configuration);
        run.Start();
        Assert.That(run.Process.WaitForExit(TimeSpan.FromSeconds(10)), Is.EqualTo(1));
        Wait.Until("the reason is told", () => run.Manager.Messages.Count > 0, 5, () => run.Told);
        Assert.That(run.Manager.Messages, Has.Count.EqualTo(1));
        Assert.That(run.Manager.Messages[0], Does.StartWith("ERRNO=22\nSTATUS=Not started: ").And.Contains("nope0"));
    }

    private ServiceRun Start()
    {
        var run = new ServiceRun(Host.Namespace, VtepRun.Configuration($"{Host.Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2")));
        run.Start(Interval);
        run.WaitUntilReady();
        Assert.That(Host.Namespace.HasDevice("tap-blue"), "READY before the port is attached");
        Wait.Until("signs of life come", () => run.SignsOfLife > 1, 10, () => run.Told);
        return run;
    }

    private static int Stalls(ServiceRun run, string sentence) => run.Manager.Messages.Count(message => message.StartsWith($"STATUS={sentence}", StringComparison.Ordinal));

    private static void Throttle(int process, CancellationToken enough)
    {
        const int Stop = 19, Continue = 18; // SIGSTOP, SIGCONT
        while (!enough.IsCancellationRequested)
        {
            Assert.That(kill(process, Stop), Is.Zero);
            Thread.Sleep(90);
            Assert.That(kill(process, Continue), Is.Zero);
            Thread.Sleep(10);
        }
    }

#pragma warning disable IDE1006 // the native name
    [DllImport("libc")]
    private static extern int kill(int process, int signal);
#pragma warning restore IDE1006
}
