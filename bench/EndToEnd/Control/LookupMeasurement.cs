// What a frame to a station that isn't known costs in lookup mode: requests to the store, by the store's own counters, when a thousand frames come at
// once; and the time a first frame waits, from one TAP to another, beside that of a frame whose station is known by then.

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>Questions to the store, and waiting for them.</summary>
internal sealed class LookupMeasurement() : Measurement("lookup-miss")
{
    private const int Rounds = 10;
    private const int FramesAtOnce = 1000;
    private const int Stations = 100;
    private const double QuietLimit = 20;
    private const ulong FirstUnknown = 0x02_40_00_00_00_00;
    private const ulong FirstStation = 0x02_41_00_00_00_00;
    private static readonly MacAddress s_source = new(0x02_42_00_00_00_00);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override string Note => $"Three VTEPs in lookup mode. Requests: ranges and transactions the store counts within {s_quiet.TotalSeconds:0} s of {FramesAtOnce} frames to one MAC nobody has, "
        + $"{Rounds} such MACs. Waiting: frames from host 1's TAP to host 2's, one to each of {Stations} stations that host 1 has not heard of, then one more to each.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var lab = new ControlLab();
        ControlledVtep[] vteps = ControlledVtep.StartThree(lab, "lookup");
        using StationSocket one = vteps[0].OpenSocket(), two = vteps[1].OpenSocket();
        Publish(lab, one, two);
        TellRequests(tell, lab, vteps[0], one);
        TellWaits(tell, one, two);
        Array.ForEach(vteps, vtep => vtep.Dispose());
    }

    private static void Publish(ControlLab lab, StationSocket one, StationSocket two)
    {
        one.Send(s_source, MacAddress.Broadcast);
        for (int i = 0; i < Stations; i++)
            two.Send(Station(i), MacAddress.Broadcast);
        Wait.Until("the stations are published", 10, () => Published(lab, "h2", new(FirstStation)) == Stations && Published(lab, "h1", s_source) == 1);
    }

    private static long Published(ControlLab lab, string node, MacAddress first) =>
        lab.Store.Count($"{ControlledVtep.Prefix}/s/{node}/mac/{Segment.Vni}/{$"{first}"[..8]}");

    private static void TellRequests(Action<Figure> tell, ControlLab lab, ControlledVtep asker, StationSocket socket)
    {
        Series requests = new(), read = new(), questions = new();
        for (int round = 0; round < Rounds; round++)
        {
            var unknown = new MacAddress(FirstUnknown + (ulong)round);
            long before = QuietCount(lab), framesBefore = Frames(asker), questionsBefore = Questions(asker);
            for (int i = 0; i < FramesAtOnce; i++)
                socket.Send(s_source, unknown);
            Thread.Sleep(s_quiet);
            requests.Add(lab.Store.Requests() - before);
            read.Add(Frames(asker) - framesBefore);
            questions.Add(Questions(asker) - questionsBefore);
        }

        tell(Figure.Median($"requests to the store for {FramesAtOnce} frames to one unknown MAC", "", requests, Target.AtMost(1)));
        tell(Figure.Median("questions, as the VTEP counts them", "", questions));
        tell(Figure.Median("of these frames the VTEP read", "", read));
    }

    private static void TellWaits(Action<Figure> tell, StationSocket one, StationSocket two)
    {
        tell(Figure.Median("a first frame's way, store asked", "ms", Ways(one, two)));
        tell(Figure.Median("a second frame's way", "ms", Ways(one, two)));
    }

    private static Series Ways(StationSocket one, StationSocket two)
    {
        var ways = new Series();
        for (int i = 0; i < Stations; i++)
        {
            long start = Stopwatch.GetTimestamp();
            one.Send(s_source, Station(i));
            if (!two.Await(Station(i), s_limit))
                throw new BenchException($"The frame to {Station(i)} didn't arrive within {s_limit.TotalSeconds} s.");
            ways.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Thread.Sleep(5);
        }

        return ways;
    }

    // The store's count after a second in which nobody asked it anything.
    private static long QuietCount(ControlLab lab)
    {
        long count = -1;
        Wait.Until("nobody asks the store", QuietLimit, () =>
        {
            long before = lab.Store.Requests();
            Thread.Sleep(s_quiet);
            count = lab.Store.Requests();
            return count == before;
        });
        return count;
    }

    private static long Frames(ControlledVtep vtep) => vtep.Get("/v1/ports")[0].GetProperty("rxFrames").GetInt64();

    private static long Questions(ControlledVtep vtep) => vtep.Controller().GetProperty("lookups").GetInt64();

    private static MacAddress Station(int i) => new(FirstStation + (ulong)i);
}
