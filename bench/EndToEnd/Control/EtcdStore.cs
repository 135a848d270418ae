// A real etcd on a host of the lab. It is filled through its own API, with keys and values as VTEPs write them; its keys are counted by etcdctl, a
// program that isn't ours, and its reads by its own counters.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Net.Client;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.Etcd;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>An etcd; killed on disposal, its data deleted.</summary>
internal sealed class EtcdStore : IDisposable
{
    private const int Port = 2379;
    private const int OpsPerTransaction = 128; // etcd's own limit
    private const int TransactionsInFlight = 8;
    private const string Handled = "grpc_server_handled_total{";
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-bench-etcd-").FullName;
    private readonly Host _host;
    private readonly BackgroundProcess _process;
    private readonly SocketsHttpHandler _inside;
    private readonly HttpClient _http;

    public EtcdStore(Host host)
    {
        _host = host;
        _inside = new SocketsHttpHandler { ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(host.Inside(Connect)), UseProxy = false };
        _http = new HttpClient(_inside, disposeHandler: false) { BaseAddress = new Uri(Endpoint), Timeout = TimeSpan.FromSeconds(10) };
        string peers = $"http://{host.Underlay(v6: false)}:2380";
        _process = host.Start("etcd",
        [
            "--name", "m", "--data-dir", Path.Combine(_folder, "data"), "--listen-client-urls", Endpoint, "--advertise-client-urls", Endpoint,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", $"m={peers}", "--logger", "zap", "--log-level", "error",
        ]);
        Wait.Until("etcd answers", 20, IsHealthy);
    }

    /// <summary>Where VTEPs find it.</summary>
    public string Endpoint => $"http://{_host.Underlay(v6: false)}:{Port}";

    /// <summary>Writes records as their owners would, without leases.</summary>
    public void Load(string prefix, IEnumerable<DirectoryRecord> records)
    {
        var layout = new EtcdLayout(prefix);
        using GrpcChannel channel = GrpcChannel.ForAddress(Endpoint, new GrpcChannelOptions { HttpHandler = _inside, DisposeHttpClient = false });
        var client = new KV.KVClient(channel);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = TransactionsInFlight };
        Parallel.ForEachAsync(records.Chunk(OpsPerTransaction), parallel, async (chunk, cancellation) =>
            await client.TxnAsync(Transaction(layout, chunk), deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: cancellation))
            .GetAwaiter().GetResult();
    }

    /// <summary>Keys that begin with a prefix. The count in an answer is of all keys, however few of them it has.</summary>
    public long Count(string prefix)
    {
        string fields = _host.Exec("etcdctl", "--endpoints", Endpoint, "get", prefix, "--prefix", "--limit", "1", "--write-out", "fields");
        string line = fields.Split('\n').FirstOrDefault(line => line.StartsWith("\"Count\"", StringComparison.Ordinal))
            ?? throw new BenchException($"etcdctl tells no count: {fields}");
        return long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Requests for keys it has answered: ranges and transactions, those that write included.</summary>
    public long Requests()
    {
        string metrics = _http.GetStringAsync(new Uri("/metrics", UriKind.Relative)).GetAwaiter().GetResult();
        return metrics.Split('\n').Where(IsRequest).Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _inside.Dispose();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private bool IsHealthy()
    {
        _process.MustRun();
        return _host.Succeeds("etcdctl", "--endpoints", Endpoint, "--command-timeout", "2s", "endpoint", "health");
    }

    private NetworkStream Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(new IPEndPoint(_host.Underlay(v6: false), Port));
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static TxnRequest Transaction(EtcdLayout layout, DirectoryRecord[] records)
    {
        var transaction = new TxnRequest();
        foreach (DirectoryRecord record in records)
        {
            var put = new PutRequest { Key = ByteString.CopyFrom(layout.Key(record.Key)), Value = ByteString.CopyFrom(RecordCodec.Value(record)) };
            transaction.Success.Add(new RequestOp { RequestPut = put });
        }

        return transaction;
    }

    private static bool IsRequest(string line) =>
        line.StartsWith(Handled, StringComparison.Ordinal) && line.Contains("grpc_service=\"etcdserverpb.KV\"", StringComparison.Ordinal)
        && (line.Contains("grpc_method=\"Txn\"", StringComparison.Ordinal) || line.Contains("grpc_method=\"Range\"", StringComparison.Ordinal));
}
