// ARP and neighbour suppression, by the counts of the kernel's test_bridge_neigh_suppress.sh: how many requests have left the tunnel after each step.
// The remote host is a station of the second VTEP; requests are counted where they arrive at the third, which gets a copy of all that is flooded.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class SuppressionTests : ControllerTestBed
{
    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void RequestsLeaveTheTunnel_OnlyUntilTheAddressIsKnown(AddressFamily family)
    {
        MakeStore();
        StartThree();
        (VtepProcess asker, VtepProcess target) = (Vteps[0], Vteps[1]);
        System.Net.IPAddress address = target.Station.Address(family);
        WaitUntilFdb(asker, target.Station.Mac, Behind(target)); // the MAC is known, the address isn't: the target hasn't said anything yet
        using var third = new RawSocket(Vteps[2].Station);

        Assert.That(Requests(third, () => Ask(asker, address)), Is.EqualTo(1), "nobody knows the address: flooded");
        Wait.Until("the address is known", () => asker.Show("neighbors").AsArray().Any(neighbor => (string?)neighbor!["address"] == $"{address}"), 5,
            () => asker.Show("neighbors").ToJsonString());
        Assert.That(Requests(third, () => Ask(asker, address)), Is.Zero, "known: answered on the spot");

        target.Host.Namespace.Ip($"link set {target.Station.Device} down");
        Forget(asker, address);
        Assert.That(Requests(third, () => asker.Station.Namespace.Try(TimeSpan.FromSeconds(5), "ping", "-n", "-c", "1", "-W", "1", address.ToString())), Is.Zero,
            "known, and its host is down: answered nevertheless");
        Assert.That(State(asker, address), Does.Contain("REACHABLE").Or.Contain("DELAY").Or.Contain("STALE").Or.Contain("PROBE"));
        target.Announce("tap-blue"); // it is told that its port is down
    }

    [Test]
    public void SuppressionOff_EveryRequestIsFlooded()
    {
        MakeStore();
        StartThree(null, ("suppressNeighbors", false));
        using var third = new RawSocket(Vteps[2].Station);
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        Wait.Until("the address is known", () => Vteps[0].Show("neighbors").AsArray().Any(neighbor => (string?)neighbor!["address"] == $"{Vteps[1].Station.Address4}"));

        Assert.That(Requests(third, () => Ask(Vteps[0], Vteps[1].Station.Address4)), Is.GreaterThanOrEqualTo(1));
    }

    // ARP requests, and neighbour solicitations to a solicited-node address, that arrive while something is done and a moment after.
    private static int Requests(RawSocket socket, Action action)
    {
        action();
        return socket.Receive(IsRequest, int.MaxValue, 0.3).Count;
    }

    private static bool IsRequest(byte[] frame) => frame is { Length: >= 42 } && (frame[12], frame[13]) switch
    {
        (0x08, 0x06) => frame[21] == 1 && frame[0] == 0xFF,
        (0x86, 0xDD) => frame.Length > 54 && frame[20] == 58 && frame[54] == 135 && frame[38] == 0xFF,
        _ => false,
    };

    private static void Ask(VtepProcess asker, System.Net.IPAddress address)
    {
        Forget(asker, address);
        PingResult result = Ping.Run(asker.Station, address, count: 1);
        Assert.That(result.Received, Is.EqualTo(1), result.Text);
    }

    private static void Forget(VtepProcess asker, System.Net.IPAddress address) =>
        asker.Station.Namespace.Ip($"neigh flush to {address} dev {asker.Station.Device}");

    private static string State(VtepProcess asker, System.Net.IPAddress address) =>
        asker.Station.Namespace.Ip($"neigh show to {address} dev {asker.Station.Device}").Output;
}
