// Questions of lanes: one in flight for each key, few at the same time, each answered in its time, whatever the source does. The source is a script;
// the test is the control loop, and takes answers up one by one.

using System.Collections.Concurrent;
using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Forwarding;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Discovery;

internal sealed class MissDeskTests
{
    private static readonly Vni s_vni = new(100);
    private static readonly ControllerDiscovery s_discovery = new() { Controller = "c", Mode = ControllerMode.Lookup, LookupTimeout = 200 };
    private static readonly LookupResult s_found = new(LookupOutcome.Found, [new MacRecord("h2", s_vni, MacB)]);

    private readonly ManualTime _time = new();
    private readonly List<string> _told = [];
    private BlockingCollection<(LookupKey Key, LookupResult Result)> _answers = null!;
    private ConcurrentQueue<string> _failures = null!;
    private ScriptedDirectory _directory = null!;
    private MissDesk _desk = null!;

    [SetUp]
    public void Open()
    {
        _told.Clear();
        _answers = [];
        _failures = [];
        _directory = new ScriptedDirectory();
        _desk = new MissDesk(_directory, _time, (key, result) => _answers.Add((key, result)), (key, e) => _failures.Enqueue($"{key.Mac}: {e.Message}"));
    }

    [TearDown]
    public async Task Close()
    {
        _desk.Dispose();
        _answers.Dispose();
        await _directory.DisposeAsync();
    }

    [Test]
    public void AThousandFrames_OnFourLanes_CostOneQuestion()
    {
        const int Lanes = 4, FramesEach = 250;
        var port = new MemoryPort("p1", Lanes);
        var wire = new MemoryNetwork();
        var underlay = new MemoryUnderlay(wire, InetAddress.Parse("198.18.0.1"), 4789, Lanes);
        var domain = new LookupDomain([port], underlay.Queue, LookupDomain.Drops, Lanes);
        for (int i = 0; i < Lanes * FramesEach; i++)
        {
            port.Inject(Udp(MacA, MacB), lane: i % Lanes);
            domain.Lanes[i % Lanes].ServePort(domain.Ports[0], nowMilliseconds: 1000);
            foreach (MissKey miss in domain.Questions(i % Lanes))
                _desk.Ask(i % Lanes, miss, s_vni, s_discovery);
        }

        _directory.Answer(KeyOf(MacB), s_found);
        (LookupKey key, LookupResult result) = Next();
        domain.Know(MacB);
        _desk.Tell(key, result, (lane, miss, answer) => domain.Lanes[lane].Answer(miss, answer, 0));

        Assert.That(domain.Lanes.Select(lane => lane.ServeAnswers(1000)), Is.All.EqualTo(HeldFrames.FramesPerKey));
        Assert.That(_directory.Asked, Is.EqualTo(new[] { KeyOf(MacB) }));
        Assert.That((_desk.Asked, _desk.Found, _desk.Unanswered), Is.EqualTo((1, 1, 0)));
        Assert.That(domain.Counters().Unaccounted, Is.Zero);
        Assert.That(domain.Counters().Sent, Is.EqualTo(Lanes * HeldFrames.FramesPerKey));
    }

    [Test]
    public void EveryLaneThatAsked_IsToldOnce_InItsOwnWords()
    {
        Ask(0, MacB);
        Ask(2, MacB);
        Ask(2, MacB);
        Ask(1, MacA);
        _directory.Answer(KeyOf(MacB), LookupResult.NotFound);
        Tell(Next());

        Assert.That(_told, Is.EqualTo(new[] { $"0 7 {MacB} NotFound", $"2 7 {MacB} NotFound" }));
    }

    [Test]
    public void AnAddress_IsAskedForByItself()
    {
        var address = InetAddress.Parse(IPv4B);
        _desk.Ask(0, new MissKey(7, default, address), s_vni, s_discovery);
        _directory.Answer(new LookupKey(s_vni, default, address), s_found);
        Tell(Next());

        Assert.That(_told, Is.EqualTo(new[] { "0 7 00:00:00:00:00:00 Found" }));
    }

    [Test]
    public void WhoAsksBeforeTheAnswerIsTakenUp_IsToldTheSame_AndWhoAsksLaterAsksAnew()
    {
        Ask(0, MacB);
        _directory.Answer(KeyOf(MacB), s_found);
        (LookupKey, LookupResult) answer = Next();
        Ask(1, MacB);
        Tell(answer);
        Assert.That(_told, Is.EqualTo(new[] { $"0 7 {MacB} Found", $"1 7 {MacB} Found" }));

        Ask(1, MacB);
        _directory.AwaitAsked(2);
        Assert.That(_desk.Asked, Is.EqualTo(2));
    }

    [Test]
    public void NotAnsweredInTime_IsNoAnswer_AndTheSourceIsToldToStop()
    {
        Ask(0, MacB);
        _directory.AwaitAsked(1);
        WaitForTimers(1);
        _time.Advance(199);
        Assert.That(_answers, Is.Empty);

        _time.Advance(1);
        Tell(Next());

        Assert.That(_told, Is.EqualTo(new[] { $"0 7 {MacB} NoAnswer" }));
        Assert.That(_directory.Cancelled, Is.EqualTo(1));
        Assert.That((_desk.Asked, _desk.Found, _desk.Unanswered), Is.EqualTo((1, 0, 1)));
        Assert.That(_failures, Is.Empty);
    }

    [Test]
    public void ASourceThatDoesntStop_HoldsNothingUp()
    {
        _directory.IsDeaf = true;
        Ask(0, MacB);
        _directory.AwaitAsked(1);
        WaitForTimers(1);
        _time.Advance(200);

        Assert.That(Next().Result.Outcome, Is.EqualTo(LookupOutcome.NoAnswer));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void AnException_IsNoAnswer_AndTold(bool atOnce)
    {
        if (atOnce)
            _directory.Throws = new InvalidOperationException("a bug");
        Ask(0, MacB);
        if (!atOnce)
            _directory.Fail(KeyOf(MacB), new InvalidOperationException("a bug"));
        Tell(Next());

        Assert.That(_told, Is.EqualTo(new[] { $"0 7 {MacB} NoAnswer" }));
        Assert.That(_failures, Is.EqualTo(new[] { $"{MacB}: a bug" }));
    }

    [Test]
    public void SixtyFourAreInFlight_TheOthersWaitTheirTurn()
    {
        for (int i = 0; i < 70; i++)
            Ask(0, Station(i));
        _directory.AwaitAsked(64);
        Assert.That(_desk.Asked, Is.EqualTo(64));

        _directory.Answer(KeyOf(Station(3)), s_found);
        Tell(Next());
        _directory.AwaitAsked(65);
        Assert.That(_directory.Asked.Last(), Is.EqualTo(KeyOf(Station(64))), "first come, first served");
    }

    [Test]
    public void WhoseTurnComesTooLate_IsntPutToTheStore()
    {
        for (int i = 0; i < 65; i++)
            Ask(0, Station(i));
        _directory.AwaitAsked(64);
        WaitForTimers(64);

        _time.Advance(200);
        for (int i = 0; i < 65; i++)
            Tell(Next());

        Assert.That(_told, Has.Count.EqualTo(65).And.All.Contains("NoAnswer"));
        Assert.That((_desk.Asked, _desk.Unanswered), Is.EqualTo((64, 65)));
    }

    [Test]
    public void OneQuestionTooMany_HasNoAnswerAtOnce_AndThenThereIsRoomAgain()
    {
        int most = MissDesk.MostInFlight + MissDesk.MostWaiting;
        for (int i = 0; i < most; i++)
            Ask(0, Station(i));
        Assert.That(_answers, Is.Empty);

        Ask(1, Station(most));
        Ask(2, Station(most));
        Tell(Next());
        Assert.That(_told, Is.EqualTo(new[] { $"1 7 {Station(most)} NoAnswer", $"2 7 {Station(most)} NoAnswer" }));

        _directory.Answer(KeyOf(Station(0)), s_found);
        Tell(Next());
        Ask(1, Station(most));
        Assert.That(_answers, Is.Empty, "it waits its turn");
    }

    [Test]
    public void ARefresh_IsAskedOnce_AndNobodyIsTold()
    {
        _desk.Refresh(KeyOf(MacB), s_discovery);
        _desk.Refresh(KeyOf(MacB), s_discovery);
        _directory.Answer(KeyOf(MacB), s_found);
        Tell(Next());

        Assert.That(_told, Is.Empty);
        Assert.That((_desk.Asked, _desk.Found), Is.EqualTo((1, 1)));
    }

    [Test]
    public void ALaneThatAsksDuringARefresh_WaitsForItsAnswer()
    {
        _desk.Refresh(KeyOf(MacB), s_discovery);
        Ask(3, MacB);
        _directory.Answer(KeyOf(MacB), s_found);
        Tell(Next());

        Assert.That(_told, Is.EqualTo(new[] { $"3 7 {MacB} Found" }));
        Assert.That(_desk.Asked, Is.EqualTo(1));
    }

    [Test]
    public void DisposedWithQuestionsInFlight_TheyAreCancelled_AndNothingIsTold()
    {
        for (int i = 0; i < 100; i++)
            Ask(0, Station(i));
        _directory.AwaitAsked(64);

        _desk.Dispose();

        Assert.That(SpinWait.SpinUntil(() => _directory.Cancelled == 64, 5000));
        Assert.That(SpinWait.SpinUntil(() => _time.Timers == 0, 5000), "every question has ended");
        Assert.That(_answers, Is.Empty);
        Assert.That(_failures, Is.Empty);
    }

    private static LookupKey KeyOf(MacAddress mac) => new(s_vni, mac);

    private static MacAddress Station(int number) => new((ulong)(0x0200_0001_0000 + number));

    private void Ask(int lane, MacAddress mac) => _desk.Ask(lane, new MissKey(7, mac), s_vni, s_discovery);

    private (LookupKey Key, LookupResult Result) Next()
    {
        Assert.That(_answers.TryTake(out (LookupKey, LookupResult) answer, 5000), "an answer comes");
        return answer;
    }

    private void Tell((LookupKey Key, LookupResult Result) answer) =>
        _desk.Tell(answer.Key, answer.Result, (lane, miss, told) => _told.Add($"{lane} {miss.Domain} {miss.Mac} {told}"));

    private void WaitForTimers(int count) => Assert.That(SpinWait.SpinUntil(() => _time.Timers == count, 5000));

    private sealed class ScriptedDirectory : IDirectory
    {
        private readonly ConcurrentDictionary<LookupKey, TaskCompletionSource<LookupResult>> _script = new();
        private readonly ConcurrentQueue<LookupKey> _asked = new();
        private int _cancelled;

        public IReadOnlyCollection<LookupKey> Asked => _asked;

        public int Cancelled => Volatile.Read(ref _cancelled);

        /// <summary>Doesn't hear when it is told to stop.</summary>
        public bool IsDeaf { get; set; }

        /// <summary>Before anything is awaited.</summary>
        public Exception? Throws { get; set; }

        public DirectoryCapabilities Capabilities => DirectoryCapabilities.Lookup;

        public void Answer(LookupKey key, LookupResult result) => Script(key).SetResult(result);

        public void Fail(LookupKey key, Exception exception) => Script(key).SetException(exception);

        public void AwaitAsked(int count) => Assert.That(SpinWait.SpinUntil(() => _asked.Count >= count, 5000), "asked");

        public async ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop)
        {
            _asked.Enqueue(key);
            if (Throws is not null)
                throw Throws;
            try
            {
                return await Script(key).Task.WaitAsync(IsDeaf ? default : stop);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref _cancelled);
                throw;
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, CancellationToken stop) => throw new NotSupportedException();

        public void Require(DirectoryScope scope) => throw new NotSupportedException();

        public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => throw new NotSupportedException();

        public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => throw new NotSupportedException();

        public ValueTask<string?> ReleaseAsync(CancellationToken stop) => throw new NotSupportedException();

        private TaskCompletionSource<LookupResult> Script(LookupKey key) =>
            _script.GetOrAdd(key, _ => new TaskCompletionSource<LookupResult>(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
