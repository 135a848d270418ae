// The running daemon and its operator: a broken configuration at reload, and SIGTERM in full traffic.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Selftests;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

internal sealed class ReloadAndStopTests
{
    private const int Vni = 100;

    [Test]
    public void ReloadOfABrokenFile_KeepsTheOldState_AndSaysEveryError()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        using var run = new VtepRun(lab.Hosts[0].Namespace, Configuration(lab));
        run.Start();
        string before = State(run);
        string[] errors = WriteBroken(run, lab);

        CommandResult reload = run.Ask("reload");
        Assert.That(reload.ExitCode, Is.EqualTo(1));
        foreach (string error in errors)
            Assert.That(reload.Error, Does.Contain(error));
        Assert.That(State(run), Is.EqualTo(before), "after vtep reload");

        int said = run.Process.Lines.Count;
        run.Process.Signal("HUP");
        Wait.Until("the log has every error", () => errors.All(error => run.Process.Lines.Skip(said).Any(line => line.Contains(error, StringComparison.Ordinal))), 5, () => run.Process.Text);
        Assert.That(State(run), Is.EqualTo(before), "after SIGHUP");

        run.Write(Configuration(lab));
        Assert.That(run.Ask("reload").ExitCode, Is.Zero, "the good file again");
        run.Stop();
        Assert.That(run.Leftovers(), Is.Empty);
    }

    [Test]
    public void ReloadOfAFileThatIsGone_KeepsTheOldState_AndSaysSo()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        using var run = new VtepRun(lab.Hosts[0].Namespace, Configuration(lab));
        run.Start();
        string before = State(run);
        File.Delete(run.ConfigurationFile);
        CommandResult reload = run.Ask("reload");
        Assert.That((reload.ExitCode, reload.Error.Contains(run.ConfigurationFile, StringComparison.Ordinal)), Is.EqualTo((1, true)), reload.Error);
        Assert.That(State(run), Is.EqualTo(before));
        run.Stop();
    }

    // The file is right, the machine refuses: whatever was done already must be undone.
    [TestCase("group")]
    [TestCase("port")]
    public void ReloadThatTheMachineRefuses_KeepsTheOldState_AndALaterOneWorks(string what)
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        LabHost host = lab.Hosts[0];
        using var run = new VtepRun(host.Namespace, Configuration(lab));
        run.Start();
        (string before, string devices) = (State(run), host.Namespace.Ip("-o link show").Output);
        JsonObject blue = VtepRun.Domain("blue", Vni, "198.18.0.3"), red = VtepRun.Domain("red", 200, "198.18.0.2"), green = VtepRun.Domain("green", 300, "198.18.0.2");
        if (what == "group")
            green["discovery"] = new JsonObject { ["multicast"] = new JsonObject { ["group"] = "239.1.1.100", ["interface"] = "nope0" } };
        else
            green["ports"]![0]!["bridge"] = "nope0";
        run.Write(VtepRun.Configuration($"{host.Underlay}", blue, red, green));
        CommandResult reload = run.Ask("reload");
        Assert.That((reload.ExitCode, reload.Error.Contains("nope0", StringComparison.Ordinal)), Is.EqualTo((1, true)), reload.Error);
        Assert.That((State(run), host.Namespace.Ip("-o link show").Output), Is.EqualTo((before, devices)));

        run.Write(VtepRun.Configuration($"{host.Underlay}", VtepRun.Domain("blue", Vni, "198.18.0.3"), VtepRun.Domain("red", 200, "198.18.0.2")));
        run.Ask("reload").OrFail();
        Assert.That(run.Show("domains").AsArray(), Has.Count.EqualTo(2));
        run.Stop();
    }

    [Test]
    public void SigtermUnderTraffic_ExitsInTime_WithClosedBooks()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        LabHost host = lab.Hosts[0];
        using var far = new VxlanSender(lab.Hosts[1]);
        using var run = new VtepRun(host.Namespace, Configuration(lab));
        run.Start();
        using var tap = new RawSocket(host.Namespace, "tap-blue");
        using var flows = new ManualResetEventSlim(true);
        using var stop = new CancellationTokenSource();
        Task traffic = Task.Factory.StartNew(() => SendBothWays(tap, far, host, flows, stop.Token), TaskCreationOptions.LongRunning);
        try
        {
            WaitUntilSent(run, 5_000);

            // The last look at the books: for a moment no frame is in work. Then on, into the signal.
            flows.Reset();
            JsonNode counters = run.Show("counters");
            Wait.Until("the books are closed", () => (long)(counters = run.Show("counters"))["unaccounted"]! == 0, 5, () => counters.ToJsonString());
            flows.Set();
            WaitUntilSent(run, (long)counters["sent"]! + 5_000);
            Assert.That(traffic.IsCompleted, Is.False, "traffic goes on");
            TimeSpan time = run.Stop();
            TestContext.Out.WriteLine($"ended in {time.TotalSeconds:0.00} s after {counters.ToJsonString()}");
        }
        finally
        {
            stop.Cancel();
            flows.Set();
            traffic.GetAwaiter().GetResult();
        }

        Assert.That(host.Namespace.HasDevice("tap-blue"), Is.False, "the TAP is left");
        Assert.That(run.Leftovers(), Is.Empty);
    }

    private static void WaitUntilSent(VtepRun run, long frames)
    {
        JsonNode counters = run.Show("counters");
        Wait.Until($"{frames} frames were sent", () => (long)(counters = run.Show("counters"))["sent"]! > frames, 10, () => counters.ToJsonString());
    }

    private static JsonObject Configuration(Lab lab) => VtepRun.Configuration($"{lab.Hosts[0].Underlay}", VtepRun.Domain("blue", Vni, "198.18.0.2"));

    private static string[] WriteBroken(VtepRun run, Lab lab)
    {
        JsonObject twice = VtepRun.Domain("red", 1 << 24, "198.18.0.2");
        twice["ports"]![0]!["tap"] = "tap-blue";
        twice["agein"] = 17;
        JsonObject broken = VtepRun.Configuration($"{lab.Hosts[0].Underlay}", VtepRun.Domain("blue", Vni, "198.18.0.2"), twice);
        broken["workers"] = -1;
        run.Write(broken);
        return ["$.workers", "$.bridgeDomains[1].vni", "$.bridgeDomains[1].ports[0].tap", "$.bridgeDomains[1].agein"];
    }

    private static string State(VtepRun run) =>
        string.Join('\n', run.Show("domains").AsArray().Select(domain => $"{domain!["name"]} {domain["vni"]} {domain["ports"]} {domain["floodList"]} {domain["ageing"]}"));

    // Once the TAP is deleted the packet socket has no device any more, which ends the traffic.
    private static void SendBothWays(RawSocket tap, VxlanSender far, LabHost host, ManualResetEventSlim flows, CancellationToken stop)
    {
        byte[] frame = InnerFrame.Udp(AddressFamily.InterNetwork, "out");
        byte[] datagram = VxlanSender.Datagram(VxlanSender.Header(Vni), InnerFrame.Udp(AddressFamily.InterNetwork, "in", InnerFrame.Anna, InnerFrame.Berta));
        bool isThere = true;
        while (isThere && !stop.IsCancellationRequested)
        {
            flows.Wait(CancellationToken.None);
            far.Send(host.Underlay, datagram);
            try
            {
                tap.Send(frame);
            }
            catch (SocketException) // ENXIO, ENODEV or ENETDOWN when the device goes; ENOBUFS when its queue is full
            {
                isThere = host.Namespace.HasDevice("tap-blue");
            }
        }
    }
}
