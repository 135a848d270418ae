// VTEPs that share a store in memory, step by step. The store's sources run on the thread pool; a test waits for what follows from that by asking for it
// (Until), the lanes and control loops being served meanwhile. The clock stands still but for Pass.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Network;

/// <summary>VTEPs h1, h2, ... at 198.18.0.1, 198.18.0.2, ... with controller "store".</summary>
internal sealed class ControlledNetwork : IDisposable
{
    private readonly List<Node> _nodes = [];

    public static Vni Vni100 { get; } = new(100);

    public TestNetwork Wire { get; } = new();

    public MemoryStore Store { get; } = new();

    /// <summary>Lets a test stand between a VTEP and the store.</summary>
    public Func<IDirectory, IDirectory> Source { get; set; } = directory => directory;

    /// <summary>A VTEP whose source is attached, and which knows what the store says.</summary>
    public Node Add(int number, params BridgeDomainConfig[] domains) => Attach(number, AddAlone(number, domains));

    /// <summary>A VTEP without a source yet.</summary>
    public Node AddAlone(int number, params BridgeDomainConfig[] domains)
    {
        Node node = Wire.Add(new VtepConfig
        {
            Workers = 1,
            FdbCapacity = 16_384,
            Underlay = new UnderlayConfig { Local = InetAddress.Parse(Address(number)) },
            Controllers = [new ControllerConfig { Name = "store", Node = $"h{number}" }],
            BridgeDomains = domains,
        });
        _nodes.Add(node);
        return node;
    }

    public Node Attach(int number, Node node)
    {
        node.Vtep.Attach("store", Source(new MemoryDirectory(Store, $"h{number}")), TimeProvider.System);
        return node;
    }

    public static string Address(int number) => $"198.18.0.{number}";

    public static BridgeDomainConfig Domain(string tap, ControllerDiscovery? discovery = null, int vni = 100) =>
        TestNetwork.Domain(vni, [tap], []) with { Discovery = discovery ?? new ControllerDiscovery { Controller = "store" } };

    public static BridgeDomainConfig Lookup(string tap, bool floods = true, int positive = 60) =>
        Domain(tap, new ControllerDiscovery
        {
            Controller = "store",
            Mode = ControllerMode.Lookup,
            FloodUnknown = floods,
            PositiveSeconds = positive,
            LookupTimeout = 5000,
        });

    /// <summary>Two VTEPs with a port each, a1 and b1, that know each other.</summary>
    public (Node A, Node B) Two(Func<string, BridgeDomainConfig>? domain = null)
    {
        (Node a, Node b) = (Add(1, (domain ?? (tap => Domain(tap)))("a1")), Add(2, (domain ?? (tap => Domain(tap)))("b1")));
        Sync();
        return (a, b);
    }

    /// <summary>A frame from a port, and everything that follows until store and tables agree.</summary>
    public void Say(Node node, string port, params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            node.Port(port).Inject(frame);
        Step();
        Sync();
    }

    /// <summary>Everything that can happen without waiting.</summary>
    public void Step()
    {
        Wire.Run();
        foreach (Node node in _nodes)
            node.Vtep.Attend(Wire.Now);
        Wire.Run();
    }

    public void Until(Func<bool> condition, Func<string>? state = null)
    {
        bool isSo = SpinWait.SpinUntil(
            () =>
            {
                Step();
                return condition();
            },
            TimeSpan.FromSeconds(30));
        Assert.That(isSo, Is.True, state?.Invoke() ?? "it didn't come true in 30 s");
    }

    /// <summary>Until every VTEP has done what the store says, and the store has what every VTEP wants.</summary>
    public void Sync() => Until(() => _nodes.TrueForAll(IsInSync), () => string.Join('\n', _nodes.SelectMany(Differences)));

    /// <summary>Seconds pass, with what follows from each.</summary>
    public void Pass(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            Wire.Wait(1);
            Step();
        }
    }

    public static ControllerSnapshot StatusOf(Node node) => node.Vtep.Status().Controllers.Single();

    public static IReadOnlyList<string> Neighbors(Node node) =>
        [.. node.Vtep.Neighbors().Select(neighbor => $"{neighbor.Vni} {neighbor.Address} {neighbor.Mac}{(neighbor.Local ? " local" : "")}")];

    public static IReadOnlyList<string> Flood(Node node) => [.. node.Vtep.Domains()[0].FloodList.Select(vtep => $"{vtep.Address}")];

    /// <summary>Who says in the store that the station is behind him, with the sequence.</summary>
    public IReadOnlyList<string> Claims(MacAddress mac) =>
        [.. Store.Records.OfType<MacRecord>().Where(record => record.Mac == mac).Select(record => $"{record.Owner} {record.Sequence}").Order()];

    public IReadOnlyList<string> Stored(string node) => [.. Store.Records.Where(record => record.Owner == node).Select(record => RecordRules.NameOf(record.Key)).Order()];

    public static VtepRecord Host(int number) => new($"h{number}", new VtepEndpoint(InetAddress.Parse(Address(number)), 4789), default);

    public void Dispose() => Wire.Dispose();

    // A VTEP whose domains are all looked up isn't told of changes among stations.
    private bool IsInSync(Node node) => StatusOf(node) is { PublishPending: 0 } status && Differences(node).Count == 0
        && (status.Revision == Store.Revision || !node.Vtep.Config.BridgeDomains.Any(domain => domain.Discovery is ControllerDiscovery { Mode: ControllerMode.Watch }));

    private static List<string> Differences(Node node) => [.. node.Vtep.DiffAsync(default).GetAwaiter().GetResult().Select(found => found.ToString())];
}
