// A hundred reloads under traffic: the file changes another domain each time, every tenth one is broken. Frames with numbers go both
// ways through the domain that stays as it is; each must arrive, once. The sender is never more than a window ahead of the receiver, so
// no buffer of this machine can overflow: a frame that is lost was lost by the VTEP.

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Selftests;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

internal sealed class ReloadUnderTrafficTests
{
    private const int Reloads = 100;

    [Test]
    public void AHundredReloads_LoseNoFrameOfADomainThatStays()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        (LabHost near, LabHost far) = (lab.Hosts[0], lab.Hosts[1]);
        using var run = new VtepRun(near.Namespace, Configuration(near, far));
        using var other = new VtepRun(far.Namespace, Configuration(far, near));
        run.Start();
        other.Start();
        using var outward = new NumberedFlow(near.Namespace, far.Namespace, InnerFrame.Anna, InnerFrame.Berta);
        using var inward = new NumberedFlow(far.Namespace, near.Namespace, InnerFrame.Berta, InnerFrame.Anna);
        int refused = 0;
        for (int i = 1; i <= Reloads; i++)
        {
            outward.WaitForSome();
            inward.WaitForSome();
            if (!TryReload(run, near, far, i))
                refused++;
        }

        Assert.That(refused, Is.EqualTo(Reloads / 10), run.Process.Text);
        outward.AssertAllArrived("outward");
        inward.AssertAllArrived("inward");
        foreach (VtepRun one in new[] { run, other })
        {
            JsonNode counters = one.Show("counters");
            Wait.Until("the books are closed", () => (long)(counters = one.Show("counters"))["unaccounted"]! == 0, 5, () => counters.ToJsonString());
            one.Stop();
        }
    }

    private static bool TryReload(VtepRun run, LabHost host, LabHost peer, int number)
    {
        bool isBroken = number % 10 == 0;
        if (isBroken)
            File.WriteAllText(run.ConfigurationFile, "{ \"underlay\": ");
        else if (number % 2 == 0)
            run.Write(Configuration(host, peer, VtepRun.Domain("red", 200, $"{peer.Underlay}")));
        else
            run.Write(Configuration(host, peer, VtepRun.Domain("green", 300, $"{peer.Underlay}")));
        try
        {
            using var client = new ControlClient(run.Socket);
            client.SendAsync(HttpMethod.Post, "/v1/reload").GetAwaiter().GetResult();
            return true;
        }
        catch (RefusedException) when (isBroken)
        {
            return false;
        }
    }

    private static JsonObject Configuration(LabHost host, LabHost peer, params JsonObject[] others) =>
        VtepRun.Configuration($"{host.Underlay}", [VtepRun.Domain("blue", 100, $"{peer.Underlay}"), .. others]);

    /// <summary>Numbered frames from one TAP to another.</summary>
    private sealed class NumberedFlow : IDisposable
    {
        private const int Window = 16;
        private const int Some = 10;
        private readonly RawSocket _from;
        private readonly RawSocket _to;
        private readonly (string Destination, string Source) _macs;
        private readonly HashSet<int> _arrived = [];
        private readonly CancellationTokenSource _enough = new();
        private readonly Task _running;
        private int _sent;
        private int _count;
        private int _twice;

        public NumberedFlow(NetworkNamespace from, NetworkNamespace to, string source, string destination)
        {
            (_from, _to, _macs) = (new RawSocket(from, "tap-blue"), new RawSocket(to, "tap-blue"), (destination, source));
            _running = Task.Factory.StartNew(Run, TaskCreationOptions.LongRunning);
        }

        /// <summary>Waits until some more have arrived.</summary>
        public void WaitForSome()
        {
            int goal = Volatile.Read(ref _count) + Some;
            Wait.Until("frames go on", () => Volatile.Read(ref _count) >= goal || _running.IsCompleted, 20, State);
        }

        public void AssertAllArrived(string which)
        {
            _enough.Cancel();
            _running.GetAwaiter().GetResult();
            TestContext.Out.WriteLine($"{which}: {State()}");
            Assert.That((_count, _twice), Is.EqualTo((_sent, 0)), $"{which}: {State()}");
        }

        public void Dispose()
        {
            _enough.Cancel();
            _running.GetAwaiter().GetResult();
            _enough.Dispose();
            _from.Dispose();
            _to.Dispose();
        }

        private void Run()
        {
            while (!_enough.IsCancellationRequested)
            {
                while (_sent - _count < Window)
                    _from.Send(RawFrame.Probe(_macs.Destination, _macs.Source, $"number {_sent++}"));
                Take(Window / 2, seconds: 0.02);
            }

            for (int before = -1; _count < _sent && before != _count;)
            {
                before = _count;
                Take(_sent - _count, seconds: 2);
            }
        }

        private void Take(int count, double seconds)
        {
            foreach (byte[] frame in _to.Receive(frame => frame is [_, _, _, _, _, _, _, _, _, _, _, _, 0x88, 0xB5, (byte)'n', ..], count, seconds))
            {
                string text = Encoding.ASCII.GetString(frame.AsSpan(14).TrimEnd((byte)0));
                if (_arrived.Add(int.Parse(text["number ".Length..], CultureInfo.InvariantCulture)))
                    Volatile.Write(ref _count, _arrived.Count);
                else
                    _twice++;
            }
        }

        private string State() => $"{_sent} sent, {_count} arrived, {_twice} twice";
    }
}
