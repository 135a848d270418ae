// What a thousand new stations a second cost a TCP stream that has nothing to do with them. The stream goes from host 1 to host 2; the stations appear
// behind host 3, which publishes them, and hosts 1 and 2 take them into their FDBs. Windows of three kinds take turns:
//
//   quiet       nothing else happens
//   churn       stations appear behind host 3
//   elsewhere   the same stations appear behind a VTEP on the store's host, under another prefix of the same store, which hosts 1 and 2 don't watch
//
// Publisher, store and stream share the cores of one machine here, which on nobody's machines they do: churn / quiet has that in it, churn / elsewhere
// is what hosts 1 and 2 themselves do for it.

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>TCP beside churn.</summary>
internal sealed class ChurnMeasurement(int seconds) : Measurement("churn-tcp-1")
{
    private const int Window = 10;
    private const double CatchUpLimit = 30;
    private const string Elsewhere = "/vtep/v1/elsewhere";
    private readonly Series _quiet = new();
    private readonly Series _churning = new();
    private readonly Series _besides = new();
    private readonly int _windows = Math.Max(1, (seconds + Window - 1) / Window);

    /// <inheritdoc/>
    public override string Note => $"One TCP stream from host 1 to host 2, windows of {Window} s, {_windows} of each kind in turn: quiet, 1,000 new stations a second behind host 3, "
        + "and as many behind a VTEP that hosts 1 and 2 don't hear of, in the same store on the same machine.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var lab = new ControlLab();
        ControlledVtep[] vteps = ControlledVtep.StartThree(lab);
        using var stranger = new ControlledVtep(lab.Hosts[3], lab.Store, prefix: Elsewhere);
        stranger.AwaitAnswer();
        using StationSocket here = vteps[2].OpenSocket(), there = stranger.OpenSocket();
        Churn churn = new(here, 0x02_30_00_00_00_00), elsewhere = new(there, 0x02_31_00_00_00_00);
        Wait.Until("packets cross", 10, () => lab.Hosts[0].Reaches(lab.Hosts[1].Inner(v6: false)));
        using (var iperf = new Iperf(lab.Hosts[0], lab.Hosts[1]))
        {
            for (int i = 0; i < _windows; i++)
            {
                _quiet.Add(iperf.GigabitsPerSecond(Window));
                _churning.Add(churn.Beside(() => iperf.GigabitsPerSecond(Window)));
                if (i == _windows - 1)
                    TellBooks(tell, lab, vteps, churn);
                _besides.Add(elsewhere.Beside(() => iperf.GigabitsPerSecond(Window)));
            }
        }

        Tell(tell);
        Array.ForEach(vteps, vtep => vtep.Dispose());
    }

    private void Tell(Action<Figure> tell)
    {
        tell(Figure.Median("without churn", "Gbit/s", _quiet));
        tell(Figure.Median("with churn", "Gbit/s", _churning));
        tell(Figure.Median("with churn elsewhere", "Gbit/s", _besides));
        tell(new Figure("with churn / without", "", _churning.Median!.Value / _quiet.Median!.Value, Target.AtLeast(0.95)));
        tell(new Figure("with churn / with churn elsewhere", "", _churning.Median!.Value / _besides.Median!.Value));
    }

    // What is still under way at the last frame is told, then it gets time to arrive; what is missing then is missing.
    private static void TellBooks(Action<Figure> tell, ControlLab lab, ControlledVtep[] vteps, Churn churn)
    {
        long end = Stopwatch.GetTimestamp();
        int pending = Pending(vteps[2]);
        int stored = Stored(lab, churn), known = Known(vteps[0], churn);
        while ((stored < churn.Offered || known < churn.Offered || Pending(vteps[2]) > 0) && Stopwatch.GetElapsedTime(end).TotalSeconds < CatchUpLimit)
        {
            Thread.Sleep(100);
            (stored, known) = (Stored(lab, churn), Known(vteps[0], churn));
        }

        double caughtUp = Stopwatch.GetElapsedTime(end).TotalSeconds;
        tell(new Figure("stations offered", "", churn.Offered));
        tell(new Figure("not published yet at the last one", "", pending));
        tell(new Figure("until all that arrives has arrived, time to look included", "s", caughtUp));
        tell(new Figure("missing in the store", "", churn.Offered - stored, Target.AtMost(0)));
        tell(new Figure("missing in host 1's FDB", "", churn.Offered - known, Target.AtMost(0)));
        tell(new Figure("missing in host 2's FDB", "", churn.Offered - Known(vteps[1], churn), Target.AtMost(0)));
    }

    private static int Pending(ControlledVtep vtep) => vtep.Controller().GetProperty("publishPending").GetInt32();

    private static int Stored(ControlLab lab, Churn churn) =>
        (int)lab.Store.Count($"{ControlledVtep.Prefix}/s/h3/mac/{Segment.Vni}/{churn.Beginning}");

    private static int Known(ControlledVtep vtep, Churn churn) =>
        vtep.Remote().Count(entry => entry.Mac.StartsWith(churn.Beginning, StringComparison.Ordinal));
}
