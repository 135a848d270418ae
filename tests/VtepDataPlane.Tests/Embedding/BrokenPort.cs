// A port as a program may write one, right or wrong: what it does is given by functions, so that each test breaks one thing.

using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Embedding;

/// <summary>A port of the test's own that works like a <see cref="MemoryPort"/> until a member is broken.</summary>
internal sealed class BrokenPort(string name) : IAccessPort
{
    private readonly MemoryPort _inner = new(name);

    /// <summary>The member that throws, if any; for the queue's, with its name.</summary>
    public string? Throws { get; set; }

    /// <summary>What Receive does instead.</summary>
    public Func<FrameBatch, int>? Receives { get; set; }


    public int Disposed { get; private set; }

    public string Name => _inner.Name;

    public MacAddress Mac => Do(nameof(Mac), () => _inner.Mac);

    public int InterfaceIndex => _inner.InterfaceIndex;

    public int Mtu => Do(nameof(Mtu), () => _inner.Mtu);

    public bool IsUp => Do(nameof(IsUp), () => _inner.IsUp);

    public IFrameQueue Queue(int lane) => Do(nameof(Queue), () => new BrokenQueue(this, _inner.Queue(lane)));

    public void WakeBy(Action<int> wake) => Do(nameof(WakeBy), () => Return(() => _inner.WakeBy(wake)));

    public bool TrySetMtu(int mtu, out string? why)
    {
        (bool isSet, why) = Do(nameof(TrySetMtu), () => (_inner.TrySetMtu(mtu, out string? reason), reason));
        return isSet;
    }

    public bool Inject(byte[] frame) => _inner.Inject(frame);

    public void Dispose()
    {
        Disposed++;
        Do(nameof(Dispose), () => Return(_inner.Dispose));
    }

    public T Do<T>(string member, Func<T> action) => member == Throws ? throw new InvalidOperationException("this port is broken.") : action();

    public static bool Return(Action action)
    {
        action();
        return true;
    }
}

/// <summary>Its queue.</summary>
internal sealed class BrokenQueue(BrokenPort port, IFrameQueue inner) : IFrameQueue
{
    public QueueMeters Meters => inner.Meters;

    public int Receive(FrameBatch batch)
    {
        if (port.Receives is { } instead)
            return instead(batch);
        int count = inner.Receive(batch);
        return port.Do(nameof(Receive), () => count); // it has counted them
    }

    public void Send(in Frame frame)
    {
        inner.Send(frame);
        port.Do(nameof(Send), () => true);
    }

    public int Flush()
    {
        port.Do(nameof(Flush), () => true);
        return inner.Flush();
    }
}
