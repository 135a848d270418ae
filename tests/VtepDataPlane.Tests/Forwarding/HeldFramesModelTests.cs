// HeldFrames against the simplest thing that could be right: a dictionary of lists. Random sequences over few keys and little room, so that every
// limit is met; after each step results and contents must agree, down to the bytes of the frames. What is forgotten to make room may be any key that
// is known not to be found: the model looks which one it was.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

internal sealed class HeldFramesModelTests
{
    private const int KeyNumbers = 7;
    private const int KeyRoom = 4;
    private const int FrameRoom = 10;

    private enum Verb
    {
        Miss,
        Answer,
        Wait,
        Sweep,
    }

    private readonly record struct Step(Verb Verb, int Key, MissAnswer Answer, int Milliseconds);

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Frequency((12, Gen.Const(Verb.Miss)), (4, Gen.Const(Verb.Answer)), (2, Gen.Const(Verb.Wait)), (1, Gen.Const(Verb.Sweep))),
        Gen.Frequency((1, Gen.Const(0)), (1, Gen.Int[0, KeyNumbers - 1])), Gen.Int[0, 2], Gen.Int[1, 4000],
        (verb, key, answer, milliseconds) => new Step(verb, key, (MissAnswer)answer, milliseconds));

    [Test]
    public void AnySequence_GivesWhatADictionaryOfListsGives() =>
        s_step.Array[0, 60].Sample(steps => { Run(steps); }, iter: 5_000, threads: 1, print: steps => string.Join("\n", steps));

    [Test]
    public void TheModel_MeetsEveryLimit()
    {
        var met = new HashSet<string>();
        s_step.Array[60].Sample(steps => met.UnionWith(Run(steps)), iter: 300, threads: 1);
        Assert.That(met, Is.SupersetOf(new[] { "held", "key is full", "no frame left", "no key left", "forgotten for another", "overdue", "not found" }));
    }

    private static HashSet<string> Run(Step[] steps)
    {
        var model = new Model();
        foreach (Step step in steps)
            model.Apply(step);
        return model.Met;
    }

    private sealed class Model
    {
        private readonly HeldFrames _held = new(seed: 42, KeyRoom, FrameRoom);
        private readonly AccessPort _port = new(new MemoryPort("p1", 1), 1, 0, 1);
        private readonly FrameBatch _batch = new(capacity: 1, room: 64);
        private readonly Dictionary<int, (KeyState State, long Time, List<byte> Frames)> _keys = [];
        private byte _number;
        private long _now = 1000;

        public HashSet<string> Met { get; } = [];

        private int Frames => _keys.Values.Sum(key => key.Frames.Count);

        public void Apply(Step step)
        {
            switch (step.Verb)
            {
                case Verb.Miss:
                    Miss(step.Key);
                    break;
                case Verb.Answer:
                    Answer(step.Key, step.Answer, _now + step.Milliseconds);
                    break;
                case Verb.Wait:
                    _now += step.Milliseconds;
                    break;
                default:
                    Sweep();
                    break;
            }

            Same(_held.IsPending, _keys.Values.Any(key => key.State == KeyState.Pending), "pending");
            Same(_held.HasRoom, Frames < FrameRoom, "room");
        }

        private void Miss(int key)
        {
            KeyState expected = StateOf(key);
            Same(_held.StateOf(KeyOf(key), _now), expected, $"state of {key}");
            if (expected == KeyState.NotFound)
            {
                Met.Add("not found");
                return;
            }

            if (expected == KeyState.Pending || Add(key))
                Hold(key);
        }

        private KeyState StateOf(int key)
        {
            if (_keys.TryGetValue(key, out (KeyState State, long Time, List<byte>) known) && known.State == KeyState.NotFound && _now >= known.Time)
                _keys.Remove(key);
            return _keys.GetValueOrDefault(key).State;
        }

        private bool Add(int key)
        {
            bool isFull = _keys.Count == KeyRoom;
            bool fits = !isFull || _keys.Values.Any(known => known.State == KeyState.NotFound);
            Same(_held.TryAdd(KeyOf(key), _now), fits, $"room for {key}");
            Met.Add(fits ? "held" : "no key left");
            if (!fits)
                return false;
            if (isFull)
                ForgetTheForgotten();
            _keys[key] = (KeyState.Pending, _now, []);
            return true;
        }

        private void ForgetTheForgotten()
        {
            List<int> gone = [.. _keys.Where(known => known.Value.State == KeyState.NotFound).Select(known => known.Key)
                .Where(known => _held.StateOf(KeyOf(known), long.MinValue) == KeyState.Unknown)];
            Same(gone.Count, 1, "forgotten to make room");
            _keys.Remove(gone[0]);
            Met.Add("forgotten for another");
        }

        private void Hold(int key)
        {
            List<byte> frames = _keys[key].Frames;
            bool isKeyFull = frames.Count == HeldFrames.FramesPerKey;
            bool fits = !isKeyFull && Frames < FrameRoom;
            _batch.Count = 0;
            _batch.TryAdd([++_number, (byte)key, 3]);
            Same(_held.TryHold(KeyOf(key), _batch[0], _port), fits, $"frame for {key}");
            if (fits)
                frames.Add(_number);
            else
                Met.Add(isKeyFull ? "key is full" : "no frame left");
        }

        private void Answer(int key, MissAnswer answer, long until)
        {
            int held = _held.Answer(KeyOf(key), answer, until);
            bool isPending = _keys.TryGetValue(key, out (KeyState State, long, List<byte> Frames) known) && known.State == KeyState.Pending;
            foreach (byte number in isPending ? known.Frames : [])
            {
                Same(held == HeldFrames.None, false, $"a frame of {key}");
                Same(Convert.ToHexString(_held.FrameAt(held).Bytes), Convert.ToHexString([number, (byte)key, 3]), $"bytes for {key}");
                Same(_held.PortOf(held), _port, "port");
                held = _held.Release(held);
            }

            Same(held, HeldFrames.None, $"no more frames of {key}");
            if (isPending)
                _keys.Remove(key);
            if (isPending && answer == MissAnswer.NotFound)
                _keys[key] = (KeyState.NotFound, until, []);
        }

        private void Sweep()
        {
            List<int> expected = [.. _keys.Where(known => known.Value.State == KeyState.Pending && _now - known.Value.Time >= HeldFrames.LongestWait)
                .Select(known => known.Key)];
            var found = new List<int>();
            for (int place = _held.NextOverdue(0, _now); place != HeldFrames.None; place = _held.NextOverdue(place, _now))
            {
                found.Add((int)_held.KeyAt(place).Mac.Value - 1);
                Answer(found[^1], MissAnswer.NoAnswer, 0);
                Met.Add("overdue");
            }

            Same(string.Join(' ', found.Order()), string.Join(' ', expected.Order()), "overdue");
            Same(_held.IsSweepDue(_now), false, "swept");
        }

        // two keys share a MAC and differ by the address
        private static MissKey KeyOf(int number) => number < KeyNumbers - 1
            ? new MissKey(1, new MacAddress((ulong)number + 1))
            : new MissKey(1, new MacAddress((ulong)number + 1), InetAddress.FromIPv4(1));

        private static void Same<T>(T got, T expected, string what)
        {
            if (!EqualityComparer<T>.Default.Equals(got, expected))
                throw new InvalidOperationException($"{what}: {got}, but the dictionary says {expected}.");
        }
    }
}
