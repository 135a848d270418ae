// The commands' side of the control API.

using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace VtepDataPlane.Daemon.Control;

/// <summary>No daemon could be asked; the message is a sentence.</summary>
internal sealed class UnreachableException(string message, Exception inner) : Exception(message, inner);

/// <summary>The daemon said no.</summary>
internal sealed class RefusedException(ControlProblem problem) : Exception(problem.Detail)
{
    public ControlProblem Problem { get; } = problem;
}

/// <summary>Asks the daemon behind a control socket.</summary>
internal sealed class ControlClient : IDisposable
{
    // Four times what a full FDB makes.
    private const int MostBytes = 128 << 20;

    private readonly HttpClient _http;
    private readonly string _socket;

    /// <param name="socket">The daemon's control socket.</param>
    /// <param name="patience">For how long an answer is waited for; null: 30 seconds.</param>
    public ControlClient(string socket, TimeSpan? patience = null)
    {
        _socket = socket;
        var handler = new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false, AllowAutoRedirect = false };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://vtep"), Timeout = patience ?? TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = MostBytes };
    }

    /// <summary>The answer's bytes.</summary>
    /// <exception cref="UnreachableException">Nobody answers.</exception>
    /// <exception cref="RefusedException">The daemon says no.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was cancelled.</exception>
    public async Task<byte[]> SendAsync(HttpMethod method, string path, HttpContent? body = null, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        return await TryAsync(async () =>
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation);
            byte[] answer = await response.Content.ReadAsByteArrayAsync(cancellation);
            return response.IsSuccessStatusCode ? answer : throw new RefusedException(ReadProblem(response.StatusCode, answer));
        }, cancellation);
    }

    /// <summary>An answer that goes on: its content is to be read as a stream, to whose end there is no limit.</summary>
    /// <exception cref="UnreachableException">Nobody answers.</exception>
    /// <exception cref="RefusedException">The daemon says no.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before an answer came.</exception>
    public async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        return await TryAsync(async () =>
        {
            HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
                throw new RefusedException(ReadProblem(response.StatusCode, await response.Content.ReadAsByteArrayAsync(stop)));
        }, stop);
    }

    private async Task<T> TryAsync<T>(Func<Task<T>> ask, CancellationToken stop)
    {
        try
        {
            return await ask();
        }
        catch (HttpRequestException error)
        {
            throw new UnreachableException(Describe(error), error);
        }
        catch (TaskCanceledException error) when (!stop.IsCancellationRequested)
        {
            throw new UnreachableException(
                $"The vtep on {_socket} doesn't answer within {_http.Timeout.TotalSeconds} seconds; read its log, or restart it.", error);
        }
    }

    public void Dispose() => _http.Dispose();

    private static ControlProblem ReadProblem(HttpStatusCode status, byte[] answer)
    {
        try
        {
            return JsonSerializer.Deserialize(answer, ControlJson.Default.ControlProblem) ?? Unexplained(status);
        }
        catch (JsonException)
        {
            return Unexplained(status);
        }
    }

    private static ControlProblem Unexplained(HttpStatusCode status) =>
        new("Failed", (int)status, $"The daemon answered {(int)status} without a reason; is it another version of vtep?");

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string Describe(HttpRequestException error)
    {
        const string Remedy = "start it with vtep run --config FILE, or name its socket with --socket";
        if (error.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
            return $"The vtep on {_socket} answers with more than {MostBytes >> 20} MiB; ask for less, for one domain with --vni.";
        return (error.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.AccessDenied =>
                $"The vtep on {_socket} may not be asked by this user: permission denied; use root, or let this user into the folders above it.",
            SocketError.ConnectionRefused => $"No vtep is listening on {_socket}: the socket is a leftover of one that is gone; {Remedy}.",
            SocketError.AddressNotAvailable => $"No vtep is listening on {_socket}: there is no such socket; {Remedy}.",
            { } => $"No vtep is listening on {_socket}: {error.InnerException!.Message}; {Remedy}.",
            null => $"The vtep on {_socket} closed the connection: it has too many clients, or is stopping; try again.",
        };
    }
}
