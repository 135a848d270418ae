// The frame around tests of controller domains: three hosts with a VTEP each, and a fourth on the same switch for the store. Whatever a test does
// to the store, at the end the tables of all VTEPs are what the store says: vtep diff finds nothing.

using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

/// <summary>Base of the fixtures with a store.</summary>
internal abstract class ControllerTestBed : TestBed
{
    protected const int Vni = 100;
    protected const string Prefix = "/vtep/v1/lab";
    protected const string Anna = "02:00:00:00:00:0a";
    protected const string Berta = "02:00:00:00:00:0b";

    /// <inheritdoc/>
    protected override bool MayBeSilent => true;

    /// <summary>The VTEPs on the hosts 1, 2 and 3.</summary>
    protected VtepProcess[] Vteps { get; set; } = [];

    /// <summary>The store's host.</summary>
    protected LabHost StoreHost => Lab.Hosts[3];

    /// <summary>The store.</summary>
    protected EtcdMember Etcd { get; private set; } = null!;

    /// <summary>Makes the lab and the store.</summary>
    protected void MakeStore(AddressFamily family = AddressFamily.InterNetwork, params IReadOnlyList<string> options)
    {
        Make(Lab.Switched(family, hosts: 4));
        Etcd = Own(new EtcdMember(StoreHost, options));
    }

    /// <summary>Starts the VTEPs and waits until each knows the others.</summary>
    protected void StartThree(LabController? controller = null, params (string Key, JsonNode Value)[] keys)
    {
        LabController main = controller ?? Main();
        Vteps = [.. Lab.Hosts.Take(3).Select(host => Start(host, Domain(main, keys)))];
        WaitUntilAcquainted();
    }

    /// <summary>The controller of the tests. Five seconds is the shortest lease there is.</summary>
    protected LabController Main(int leaseSeconds = 60) => new("main")
    {
        Endpoints = [Etcd.Endpoint],
        Keys = new Dictionary<string, JsonNode> { ["leaseSeconds"] = leaseSeconds },
    };

    /// <summary>The domain of the tests.</summary>
    protected static LabDomain Domain(LabController controller, params (string Key, JsonNode Value)[] keys) => new("blue", Vni)
    {
        Controller = controller,
        ControllerKeys = keys.ToDictionary(key => key.Key, key => key.Value),
    };

    /// <summary>Waits until every VTEP floods to every other.</summary>
    protected void WaitUntilAcquainted()
    {
        foreach (VtepProcess vtep in Vteps)
            Wait.Until($"{vtep.Host.Namespace.Name} knows the others", () => FloodList(vtep) == Vteps.Length - 1, 15, () => vtep.Show("status").ToJsonString());
    }

    /// <summary>VTEPs a VTEP floods to.</summary>
    protected static int FloodList(VtepProcess vtep) => vtep.Show("domains")[0]!["floodList"]!.AsArray().Count;

    /// <summary>A VTEP's controller in its status.</summary>
    protected static JsonNode Controller(VtepProcess vtep) => vtep.Show("status")["controllers"]![0]!;

    /// <summary>Waits until a VTEP says so of its controller.</summary>
    protected static TimeSpan WaitUntilState(VtepProcess vtep, string state, double seconds = 15) =>
        Wait.Until($"{vtep.Host.Namespace.Name} is {state}", () => (string?)Controller(vtep)["state"] == state, seconds, () => Controller(vtep).ToJsonString());

    /// <summary>A station says something to everybody.</summary>
    protected static void Announce(VtepProcess vtep, string mac)
    {
        using var socket = new RawSocket(vtep.Station);
        socket.Send(RawFrame.Probe(RawFrame.Broadcast, mac, "here I am"));
    }

    /// <summary>Waits until a VTEP has a station there.</summary>
    protected static TimeSpan WaitUntilFdb(VtepProcess vtep, string mac, string entry, double seconds = 5) =>
        Wait.Until($"{vtep.Host.Namespace.Name} has {mac} as '{entry}'", () => vtep.Fdb(mac) is [{ } only] && only == entry, seconds,
            () => vtep.Show("fdb").ToJsonString() + vtep.Ask("show", "directory").Output);

    /// <summary>A station behind that VTEP, as the others' FDB has it.</summary>
    protected static string Behind(VtepProcess vtep) => $"directory {new System.Net.IPEndPoint(vtep.Host.Underlay, 4789)}";

    /// <summary>Waits until the store and every VTEP's tables agree, and gives the time that took.</summary>
    protected TimeSpan WaitUntilNoDifference(double seconds = 15)
    {
        string last = "";
        bool Agree() => Vteps.All(vtep =>
        {
            CommandResult result = vtep.Ask("diff");
            last = $"{vtep.Host.Namespace.Name}: {result.Output}{result.Error}";
            return result.ExitCode == 0;
        });
        return Wait.Until("store and tables agree", Agree, seconds, () => last);
    }

    /// <summary>Ends a ping that ran all the while; not one request may have been lost.</summary>
    protected static void AssertNothingLost(BackgroundProcess ping, string during)
    {
        PingResult result = Ping.StopAndRead(ping);
        Assert.That((result.Lost, result.Duplicates), Is.EqualTo((0, 0)), $"lost during {during}:\n{result.Text[Math.Max(0, result.Text.Length - 2000)..]}");
    }

    /// <summary>Says that every VTEP may complain of its store.</summary>
    protected void AnnounceStoreTrouble()
    {
        foreach (VtepProcess vtep in Vteps)
            vtep.Announce("(?i)controller|etcd|lease");
    }

    /// <summary>Shows how long something took; bounds are asserted where they are promised.</summary>
    protected static void Report(string what, TimeSpan time) =>
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalMilliseconds:0} ms"));
}
