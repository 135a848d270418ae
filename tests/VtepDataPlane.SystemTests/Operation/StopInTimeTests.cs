// The stop under the worst that others do: a store that takes connections and never answers, and clients that hold theirs. The process must
// end within five seconds, with exit code 0.

using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class StopInTimeTests
{
    private const int StorePort = 2379;

    // Nobody, half a request's head, half a body, and one that waits for an answer of the store.
    private static readonly string[] s_requests =
    [
        "", "GET /v1/status HT", "POST /v1/fdb HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "GET /v1/directory/diff HTTP/1.1\r\nHost: x\r\n\r\n",
    ];

    [TestCase(true)]
    [TestCase(false)]
    public void AStoreThatIsSilentAndClientsThatStay_HoldUpNobody(bool isListening)
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        using Socket? store = isListening ? InNamespace.Run(lab.Hosts[1].Namespace.Name, Listen) : null;
        string address = isListening ? $"{lab.Hosts[1].Underlay}" : "198.18.0.99";
        using var run = new VtepRun(lab.Hosts[0].Namespace, Configuration(lab.Hosts[0], address));
        run.Start();
        Socket[] clients = [.. s_requests.Select(request => Connect(run, request))];
        try
        {
            TimeSpan time = run.Stop();
            TestContext.Out.WriteLine($"ended in {time.TotalSeconds:0.00} s");
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }

        Assert.That(run.Leftovers(), Is.Empty);
        Assert.That(lab.Hosts[0].Namespace.HasDevice("tap-blue"), Is.False);
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, StorePort));
        socket.Listen();
        return socket;
    }

    private static Socket Connect(VtepRun run, string request)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(run.Socket));
        socket.Send(Encoding.ASCII.GetBytes(request));
        return socket;
    }

    private static JsonObject Configuration(LabHost host, string store)
    {
        JsonObject blue = VtepRun.Domain("blue", 100);
        blue["discovery"] = new JsonObject { ["controller"] = new JsonObject { ["name"] = "main" } };
        JsonObject configuration = VtepRun.Configuration($"{host.Underlay}", blue);
        configuration["controllers"] = new JsonObject
        {
            ["main"] = new JsonObject { ["etcd"] = new JsonObject { ["endpoints"] = new JsonArray($"http://{store}:{StorePort}"), ["prefix"] = "/vtep/v1/lab", ["node"] = "h1" } },
        };
        return configuration;
    }
}
