// The service manager's end of sd_notify: a datagram socket, by path or in the abstract name space, and all that was sent to it.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting.Systemd;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Tests.Program;

/// <summary>Collects datagrams, the latest last.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<(long At, string Text)> _messages = new();
    private readonly CancellationTokenSource _enough = new();
    private readonly Task _reading;

    /// <param name="address">As in NOTIFY_SOCKET: a path, or @ and a name.</param>
    public NotifySocket(string address)
    {
        Address = address;
        _socket.Bind(new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address));
        _reading = Task.Run(ReadAsync);
    }

    public string Address { get; }

    public IReadOnlyList<string> Messages => [.. _messages.Select(message => message.Text)];

    /// <summary>When the first message that is wanted came, as a Stopwatch's timestamp; null: none did yet.</summary>
    public long? TimeOf(Func<string, bool> isWanted) =>
        _messages.Where(message => isWanted(message.Text)).Select(message => (long?)message.At).FirstOrDefault();

    /// <summary>A service manager whose messages come here.</summary>
    public ServiceManager Manager(TimeSpan? watchdog = null)
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", Address);
        try
        {
            return new ServiceManager(new SystemdNotifier(), watchdog);
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        }
    }

    /// <summary>Waits until a message that is wanted has come; gives it.</summary>
    public async Task<string> WaitForAsync(Func<string, bool> isWanted, int from = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (Messages.Skip(from).FirstOrDefault(isWanted) is { } found)
                return found;
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"What was waited for didn't come. There is:\n{string.Join("\n--\n", Messages)}");
            await Task.Delay(10);
        }
    }

    public void Dispose()
    {
        _enough.Cancel();
        _reading.Wait();
        _socket.Dispose();
        _enough.Dispose();
        if (Address[0] != '@')
            File.Delete(Address);
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[8192];
        try
        {
            while (true)
            {
                int n = await _socket.ReceiveAsync(buffer, _enough.Token);
                _messages.Enqueue((Stopwatch.GetTimestamp(), Encoding.UTF8.GetString(buffer, 0, n)));
            }
        }
        catch (OperationCanceledException) when (_enough.IsCancellationRequested)
        {
            // the end
        }
    }
}
