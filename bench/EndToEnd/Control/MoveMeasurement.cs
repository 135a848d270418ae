// How long it takes until the others know that a station has moved: from the frame that says so at its new place, through that host's VTEP, the store
// and the other VTEPs' watches, to their FDBs, which are asked over the control socket all the time, by a thread each. What asking costs stands
// beside: on average half of it is in every figure.
//
// A station moves three times and is then replaced: one that moves five times in 180 seconds is frozen where it is (RFC 7432 section 15.1).

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>From a frame to the FDBs of others.</summary>
internal sealed class MoveMeasurement() : Measurement("mac-move")
{
    private const int Moves = 200;
    private const int MovesOfOne = 3;
    private const ulong FirstStation = 0x02_20_00_00_00_00;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(1);

    private readonly Series _third = new();
    private readonly Series _other = new();
    private readonly Series _both = new();
    private readonly Series _asking = new();

    /// <inheritdoc/>
    public override string Note => $"Three VTEPs; {Moves} moves of stations between hosts 1 and 2, {MovesOfOne} of each station. From the send of a frame on the new host's TAP "
        + "until the FDBs of the two other hosts show it there.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var lab = new ControlLab();
        ControlledVtep[] vteps = ControlledVtep.StartThree(lab);
        using StationSocket one = vteps[0].OpenSocket(), two = vteps[1].OpenSocket();
        for (int move = 0; move < Moves; move++)
        {
            var station = new MacAddress(FirstStation + (ulong)(move / MovesOfOne));
            bool toOne = move % MovesOfOne % 2 == 1;
            if (move % MovesOfOne == 0)
                Move(station, one, vteps[0], vteps[1], vteps[2]); // it appears
            (double other, double third) = toOne ? Move(station, one, vteps[0], vteps[1], vteps[2]) : Move(station, two, vteps[1], vteps[0], vteps[2]);
            _other.Add(other);
            _third.Add(third);
            _both.Add(Math.Max(other, third));
        }

        Array.ForEach(vteps, vtep => vtep.Dispose());
        Tell(tell);
    }

    private void Tell(Action<Figure> tell)
    {
        tell(Figure.Median("both others show the move, median", "ms", _both, Target.AtMost(100)));
        tell(new Figure("both others show the move, 95th percentile", "ms", _both.Percentile(0.95)));
        tell(new Figure("both others show the move, longest", "ms", _both.Max));
        tell(Figure.Median("the third host shows the move, median", "ms", _third));
        tell(Figure.Median("the old host shows the move, median", "ms", _other));
        tell(Figure.Median("one question to the control socket, median", "ms", _asking));
    }

    private (double Other, double Third) Move(MacAddress station, StationSocket socket, ControlledVtep to, ControlledVtep other, ControlledVtep third)
    {
        long start = Stopwatch.GetTimestamp();
        socket.Send(station, MacAddress.Broadcast);
        Task<double> asksOther = Task.Factory.StartNew(() => Await(other, station, to, start), TaskCreationOptions.LongRunning);
        double seenByThird = Await(third, station, to, start);
        return (asksOther.GetAwaiter().GetResult(), seenByThird);
    }

    private double Await(ControlledVtep vtep, MacAddress station, ControlledVtep to, long start)
    {
        string mac = $"{station}";
        while (Stopwatch.GetElapsedTime(start) < s_limit)
        {
            long asked = Stopwatch.GetTimestamp();
            bool isThere = vtep.Remote().Any(entry => entry.Mac == mac && entry.Vtep == to.Vtep);
            lock (_asking)
                _asking.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            if (isThere)
                return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            Thread.Sleep(s_pause);
        }

        throw new BenchException($"Host {vtep.Host.Number} doesn't show {mac} at {to.Vtep} after {s_limit.TotalSeconds} s. {vtep.Controller()}");
    }
}
