// /metrics and /healthz of the daemon in process, over the unix socket and over TCP, and that over TCP there is nothing else.

using System.Net;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Tests.Diagnostics;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class MetricsEndpointTests
{
    private static readonly int s_port = FreePort();

    private static string Config(string control) => $$"""
        {
          "workers": 1, "control": { "socket": "SOCKET"{{control}} },
          "underlay": { "local": "198.18.0.1" },
          "bridgeDomains": [
            { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue" } ], "discovery": { "static": { "peers": [ "198.18.0.2" ] } } } ]
        }
        """;

    private static string WithHttp => Config($", \"http\": \"127.0.0.1:{s_port}\"");

    [Test]
    public async Task Metrics_AreOnTheSocketAndOverTcp_InBothFormats()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        foreach (HttpClient client in new[] { OverSocket(daemon), OverTcp() })
        {
            using (client)
            {
                using HttpResponseMessage plain = await client.GetAsync("/metrics");
                string text = await plain.Content.ReadAsStringAsync();
                Assert.That((plain.StatusCode, $"{plain.Content.Headers.ContentType}"), Is.EqualTo((HttpStatusCode.OK, "text/plain; version=0.0.4; charset=utf-8")));
                Assert.That(text, Does.Contain("# TYPE vtep_port_io_bytes_total counter\n").And.Contain("vtep_healthy 1\n").And.EndsWith("\n").And.Not.Contain("# EOF"));

                client.DefaultRequestHeaders.Add("Accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
                using HttpResponseMessage open = await client.GetAsync("/metrics");
                text = await open.Content.ReadAsStringAsync();
                Assert.That($"{open.Content.Headers.ContentType}", Is.EqualTo("application/openmetrics-text; version=1.0.0; charset=utf-8"));
                Assert.That(text, Does.Contain("# TYPE vtep_port_io_bytes counter\n# UNIT vtep_port_io_bytes bytes\n").And.EndsWith("\n# EOF\n"));
                Assert.That(ReadMetrics.Parse(text)["vtep_domains"], Is.EqualTo(1));
            }
        }
    }

    [Test]
    public async Task OverTcp_ThereIsNoControlApi_WhateverTheRequestLooksLike()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        foreach (string line in new[]
        {
            "GET /v1/status", "GET /v1/fdb?vni=100", "POST /v1/reload", "DELETE /v1/fdb?vni=100&mac=02:00:00:00:00:01", "GET /", "GET /metrics/../v1/status",
            "GET /metrics/%2e%2e/v1/status", "GET //v1/status", "GET /metrics/", "GET /METRICS", "POST /metrics", "HEAD /healthz", "OPTIONS *",
        })
        {
            string answer = await RawAsync($"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            Assert.That(answer, Does.StartWith("HTTP/1.1 404 ").Or.StartWith("HTTP/1.1 400 "), line);
        }

        Assert.That(await RawAsync("GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), Does.Contain(
            "/v1/status\\u0027 here: over TCP there are GET /metrics and GET /healthz, the rest is on the unix socket."));
    }

    [Test]
    public async Task OverTcp_AHostThatIsAName_IsRefused()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        foreach (string host in new[] { "127.0.0.1", $"127.0.0.1:{s_port}", "localhost", "LocalHost:80", "[::1]", "[::1]:9478", "198.18.0.1" })
            Assert.That(await RawAsync($"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), Does.StartWith("HTTP/1.1 200 "), host);
        foreach (string host in new[] { "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1 evil", "" })
            Assert.That(await RawAsync($"GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), Does.StartWith("HTTP/1.1 4").And.Not.Contain("vtep_"), host);
        Assert.That(await RawAsync("GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), Does.StartWith("HTTP/1.1 4"));
        Assert.That(await RawAsync("GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), Does.StartWith("HTTP/1.1 421 ").And.Contain("is no IP address: ask for this host by its address"));
    }

    [Test]
    public async Task Health_IsOk_OrSaysWhatStandsStill()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        using HttpClient client = OverTcp();
        Assert.That(await client.GetStringAsync("/healthz"), Is.EqualTo("ok\n"));
        daemon.Stall = "Worker 1 has not moved for 3 s.";
        using HttpResponseMessage answer = await client.GetAsync("/healthz");
        Assert.That((answer.StatusCode, await answer.Content.ReadAsStringAsync()), Is.EqualTo((HttpStatusCode.ServiceUnavailable, "Worker 1 has not moved for 3 s.\n")));
        Assert.That(await client.GetStringAsync("/metrics"), Does.Contain("vtep_healthy 0\n"));
    }

    [Test]
    public async Task ThoseWhoKeepAllTcpConnections_LeaveTheControlSocketItsShare()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        List<TcpClient> kept = [.. Enumerable.Range(0, 40).Select(_ => new TcpClient())];
        foreach (TcpClient client in kept)
        {
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, s_port);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                continue; // one too many, turned away at once
            }
        }

        Assert.That(kept.Count(client => client.Connected), Is.GreaterThanOrEqualTo(HttpAddress.MaxConnections));
        Assert.That((await daemon.CommandAsync("show", "status")).ExitCode, Is.Zero);
        kept.ForEach(client => client.Dispose());
    }

    [Test]
    public void APortThatIsTaken_EndsTheStart_WithARemedy()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Assert.That(async () => await InMemoryDaemon.StartAsync(Config($", \"http\": \"127.0.0.1:{port}\"")), Throws.TypeOf<VtepException>().With.Message.EqualTo(
            $"The address 127.0.0.1:{port} for metrics (control.http) can't be bound: Address already in use. Stop what listens there ('ss -ltnp' names it), or give control.http another port."));
    }

    [Test]
    public async Task AReload_CannotMoveTheAddress()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(WithHttp);
        File.WriteAllText(daemon.ConfigPath, Config(", \"otlp\": \"http://127.0.0.1:4317\"").Replace("SOCKET", daemon.Socket, StringComparison.Ordinal));
        (int exitCode, _, string errors) = await daemon.CommandAsync("reload");
        Assert.That(exitCode, Is.Not.Zero);
        Assert.That(errors, Does.Contain($"$.control.http: changed from 127.0.0.1:{s_port} to nothing; restart vtep for that, or undo it")
            .And.Contain("$.control.otlp: changed from nothing to http://127.0.0.1:4317;"));
    }

    [Test]
    public async Task ACollector_GetsTheMetrics_AtTheLatestWhenTheDaemonStops()
    {
        int port = FreePort();
        using var collector = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
        collector.Start();
        InMemoryDaemon daemon = await InMemoryDaemon.StartAsync(Config($", \"otlp\": \"http://127.0.0.1:{port}/v1/metrics\""));
        Task<HttpListenerContext> push = collector.GetContextAsync();
        ValueTask stop = daemon.DisposeAsync();
        HttpListenerContext got = await push;
        using var body = new MemoryStream();
        await got.Request.InputStream.CopyToAsync(body);
        got.Response.Close();
        await stop;
        Assert.That((got.Request.HttpMethod, got.Request.Url!.AbsolutePath), Is.EqualTo(("POST", "/v1/metrics")));
        Assert.That(Encoding.Latin1.GetString(body.ToArray()), Does.Contain("vtep.frames.received").And.Contain("vtep.healthy").And.Contain("vtep.domains"));
    }

    [Test]
    public void ALabel_IsEscaped()
    {
        using var meter = new System.Diagnostics.Metrics.Meter(new System.Diagnostics.Metrics.MeterOptions("escape") { Scope = this });
        meter.CreateObservableGauge("escape", () => new System.Diagnostics.Metrics.Measurement<long>(1, new KeyValuePair<string, object?>("port", "a\"\\\n\u001b[31mä")));
        using var reader = new MetricsReader(this);
        Assert.That(ReadMetrics.Text(reader, isOpenMetrics: true), Does.Contain("""escape{port="a\"\\\\u000a\\u001b[31mä"} 1"""));
    }

    private static HttpClient OverTcp() => new() { BaseAddress = new Uri($"http://127.0.0.1:{s_port}") };

    private static HttpClient OverSocket(InMemoryDaemon daemon) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.Socket), stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://vtep") };

    private static async Task<string> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, s_port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
