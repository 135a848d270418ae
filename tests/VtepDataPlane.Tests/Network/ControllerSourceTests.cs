// What becomes of sources that do what they must not, and how controllers are watched from outside while the control loop is busy.

using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Network.ControlledNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ControllerSourceTests
{
    private static InvalidOperationException AttendUntilItThrows(ControlledNetwork network, Node node)
    {
        InvalidOperationException? thrown = null;
        SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    node.Vtep.Attend(network.Wire.Now);
                }
                catch (InvalidOperationException e)
                {
                    thrown = e;
                }

                return thrown is not null;
            },
            TimeSpan.FromSeconds(30));
        return thrown ?? throw new AssertionException("It was silent.");
    }

    [Test]
    public void ASourceThatThrows_EndsInAnException()
    {
        using var network = new ControlledNetwork { Source = directory => new BrokenDirectory(directory, new FormatException("oops")) };
        Node a = network.Add(1, Domain("a1"));
        InvalidOperationException thrown = AttendUntilItThrows(network, a);
        Assert.That(thrown.Message, Is.EqualTo("The source of controller store failed, which it must not: oops"));
        Assert.That(thrown.InnerException, Is.TypeOf<FormatException>());
    }

    [Test]
    public void ASourceThatEnds_EndsInAnException()
    {
        using var network = new ControlledNetwork { Source = directory => new BrokenDirectory(directory, null) };
        Node a = network.Add(1, Domain("a1"));
        Assert.That(AttendUntilItThrows(network, a).Message, Does.EndWith("it ended without being told to."));
    }

    [Test]
    public void ASourceThatThrowsOnAQuestion_EndsInAnException()
    {
        using var network = new ControlledNetwork { Source = directory => new BrokenDirectory(directory, new FormatException("oops")) { OnQuestions = true } };
        Node a = network.Add(1, Lookup("a1"));
        network.Until(() => StatusOf(a).State == "connected");
        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Wire.Run();
        Assert.That(AttendUntilItThrows(network, a).InnerException, Is.TypeOf<FormatException>());
        network.Wire.Now += 10_000; // so that the frame's wait is over
    }

    [Test]
    public void Disposing_EndsTheSource_AndIsDoneOnce()
    {
        var slow = new List<SlowDirectory>();
        var network = new ControlledNetwork
        {
            Source = directory =>
            {
                slow.Add(new SlowDirectory(directory));
                return slow[^1];
            },
        };
        Node a = network.Add(1, Domain("a1"));
        network.Until(() => StatusOf(a).State == "connected");
        a.Vtep.Dispose();
        Assert.That((slow[0].HasEnded, slow[0].IsDisposed), Is.EqualTo((true, true)));
    }

    [Test]
    public void AControllerIsAttachedOnce()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Domain("a1"));
        Assert.That(() => network.Attach(1, a), Throws.ArgumentException);
    }

    [Test]
    public void Status_WaitsForNothing()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Domain("a1"));
        network.Sync();
        network.Pass(1);
        long revision = StatusOf(a).Revision;
        using var isBusy = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        a.Host.Withdrawing = _ =>
        {
            isBusy.Set();
            mayGoOn.Wait(TimeSpan.FromSeconds(30));
        };
        var change = Task.Run(() => a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [] }, network.Wire.Now));
        Assert.That(isBusy.Wait(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(a.Vtep.Status().Controllers.Single().Revision, Is.EqualTo(revision));
        Assert.That(change.IsCompleted, Is.False);
        mayGoOn.Set();
        change.GetAwaiter().GetResult();
    }

    [Test]
    public void Metrics_SayWhatTheStatusSays()
    {
        using var network = new ControlledNetwork();
        (Node a, _) = network.Two();
        network.Say(a, "a1", Arp(MacA));
        network.Store.PutJunk(new RejectedRecord("k", RejectReason.ValueMalformed, "no JSON", null));
        network.Sync();
        using var metrics = new DirectoryMetrics(new object(), () => [StatusOf(a) with { Name = "watched", BackoffMilliseconds = 1500, LookupsFound = 3 }]);
        var read = new Dictionary<string, double>();
        void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            if (!tags.ToArray().Contains(new KeyValuePair<string, object?>("controller", "watched")))
                return;
            string further = string.Concat(tags.ToArray().Where(tag => tag.Key != "controller").Select(tag => $" {tag.Key}={tag.Value}"));
            read[instrument.Name + further] = Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
        }

        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "VtepDataPlane.Directory")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>(Note);
        listener.SetMeasurementEventCallback<long>(Note);
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.That(read["vtep.directory.connected"], Is.EqualTo(1));
        Assert.That(read["vtep.directory.revision"], Is.EqualTo(network.Store.Revision));
        Assert.That(read["vtep.directory.last_event_age"], Is.Zero);
        Assert.That(read["vtep.directory.backoff"], Is.EqualTo(1.5));
        Assert.That(read["vtep.directory.records type=vtep"], Is.EqualTo(1));
        Assert.That(read["vtep.directory.published"], Is.EqualTo(StatusOf(a).Published));
        Assert.That(read["vtep.directory.publish_pending"], Is.Zero);
        Assert.That(read["vtep.directory.resyncs cause=start"], Is.GreaterThanOrEqualTo(1));
        Assert.That(read.Keys, Has.Some.StartsWith("vtep.directory.rejected reason="));
        Assert.That(read["vtep.directory.lookups outcome=found"], Is.EqualTo(3));
        Assert.That(read.Keys, Is.SupersetOf(new[] { "vtep.directory.shrink_held", "vtep.directory.frozen", "vtep.directory.stale" }));
    }
}

/// <summary>A source that passes everything on, but answers to questions come never; it notes how it ends.</summary>
internal class SlowDirectory(IDirectory inner) : IDirectory
{
    public bool HasEnded { get; private set; }

    public bool IsDisposed { get; private set; }

    public DirectoryCapabilities Capabilities => inner.Capabilities;

    public virtual async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        try
        {
            await foreach (DirectoryEvent told in inner.RunAsync(own, stop))
                yield return told;
        }
        finally
        {
            HasEnded = true;
        }
    }

    public void Require(DirectoryScope scope) => inner.Require(scope);

    public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => inner.ReadAsync(stop);

    public virtual async ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return LookupResult.NoAnswer;
    }

    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => inner.WriteAsync(change, stop);

    public ValueTask<string?> ReleaseAsync(CancellationToken stop) => inner.ReleaseAsync(stop);

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return inner.DisposeAsync();
    }
}

/// <summary>A source that throws, or just ends.</summary>
internal sealed class BrokenDirectory(IDirectory inner, Exception? failure) : SlowDirectory(inner)
{
    /// <summary>Questions throw, and nothing else.</summary>
    public bool OnQuestions { get; init; }

    public override async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (DirectoryEvent told in base.RunAsync(own, stop))
        {
            yield return told;
            if (OnQuestions)
                continue;
            if (failure is null)
                yield break;
            throw failure;
        }
    }

    public override ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop) => throw failure!;
}
