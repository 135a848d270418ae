// What the daemon of this host says of itself, asked over its control socket within two seconds: the first thing to know about a host,
// since what the daemon holds is nobody's fault. One that doesn't answer is a fact like another, never an exception.

using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Who is behind a control socket.</summary>
internal enum DaemonPresence
{
    /// <summary>Nobody.</summary>
    Absent,

    /// <summary>Somebody whom this user may not ask.</summary>
    Denied,

    /// <summary>Somebody who doesn't answer as a vtep does.</summary>
    Silent,

    /// <summary>A vtep.</summary>
    Present,
}

/// <summary>A daemon as it describes itself.</summary>
/// <param name="Socket">Its control socket.</param>
/// <param name="Presence">Whether there is one.</param>
/// <param name="Problem">Why it says nothing, a sentence; null when it is present.</param>
internal sealed record DaemonView(string Socket, DaemonPresence Presence, string? Problem)
{
    public VtepSnapshot? Status { get; private init; }

    public IReadOnlyList<PortSnapshot> Ports { get; private init; } = [];

    public IReadOnlyList<PeerSnapshot> Peers { get; private init; } = [];

    public CounterSnapshot? Counters { get; private init; }

    /// <summary>The configuration file's text; null: it doesn't tell.</summary>
    public byte[]? Configuration { get; private init; }

    /// <summary>Asks.</summary>
    public static async Task<DaemonView> AskAsync(string socket)
    {
        try
        {
            return await AskAllAsync(socket).WaitAsync(TimeSpan.FromSeconds(2));
        }
        catch (UnreachableException e)
        {
            bool isDenied = (e.InnerException?.InnerException as SocketException)?.SocketErrorCode == SocketError.AccessDenied;
            return new DaemonView(socket, isDenied ? DaemonPresence.Denied : DaemonPresence.Absent, e.Message);
        }
        catch (RefusedException e)
        {
            bool isDenied = e.Problem.Status is (int)HttpStatusCode.Forbidden or (int)HttpStatusCode.Unauthorized;
            return new DaemonView(socket, isDenied ? DaemonPresence.Denied : DaemonPresence.Silent, e.Message);
        }
        catch (Exception e) when (e is TimeoutException or JsonException)
        {
            return new DaemonView(socket, DaemonPresence.Silent, $"Whoever listens on {socket} doesn't answer as vtep does: {e.Message}");
        }
    }

    private static async Task<DaemonView> AskAllAsync(string socket)
    {
        using var client = new ControlClient(socket);
        return new DaemonView(socket, DaemonPresence.Present, null)
        {
            Status = await ReadAsync(client, "/v1/status", ControlJson.Default.VtepSnapshot),
            Ports = await ReadAsync(client, "/v1/ports", ControlJson.Default.IReadOnlyListPortSnapshot),
            Peers = await ReadAsync(client, "/v1/peers", ControlJson.Default.IReadOnlyListPeerSnapshot),
            Counters = await ReadAsync(client, "/v1/counters", ControlJson.Default.CounterSnapshot),
            Configuration = await ReadConfigurationAsync(client),
        };
    }

    private static async Task<T> ReadAsync<T>(ControlClient client, string path, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(await client.SendAsync(HttpMethod.Get, path), type) ?? throw new JsonException($"{path} is null.");

    // An older daemon has no such route.
    private static async Task<byte[]?> ReadConfigurationAsync(ControlClient client)
    {
        try
        {
            return await client.SendAsync(HttpMethod.Get, "/v1/config");
        }
        catch (RefusedException e) when (e.Problem.Status is (int)HttpStatusCode.NotFound or (int)HttpStatusCode.Forbidden)
        {
            return null;
        }
    }
}
