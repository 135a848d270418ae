// How many series the metrics of one VTEP may have: 4,096 in all, whatever it has of domains, peers and ports. What is beyond a share is
// summed into a series whose label says "other". A series is a sum of memory in the collector, kept long after it is gone here, so
// the bound is fixed, not configured. No label is a station's.
//
//   traffic     2 instruments x 2 directions x (384 pairs + other + removed)    1,544
//   ports       2 instruments x 2 directions x ( 96 ports + other + removed)      392
//   drops       640, and by 4 directions x 37 reasons: other, removed, none     1,084
//   domains     2 gauges x (96 + other), 2 counters x (96 + other + removed)      390
//   peers       96 path MTUs, and VTEPs by state                                   99
//   the VTEP    its books, its size, what is folded                                40
//   controllers 16 x 28: states, records by type, refusals by reason              448
//                                                                               -----
//                                                                               3,997

using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Diagnostics;

/// <summary>Shares of the series.</summary>
internal static class SeriesBudget
{
    /// <summary>Series of one VTEP, at most.</summary>
    public const int Total = 4096;

    /// <summary>Pairs of domain and peer with traffic of their own.</summary>
    public const int Pairs = PairMeters.RowLimit;

    /// <summary>Ports with counters of their own.</summary>
    public const int Ports = 96;

    /// <summary>Combinations of domain, direction and reason.</summary>
    public const int Drops = 640;

    /// <summary>Domains with an FDB of their own.</summary>
    public const int Domains = 96;

    /// <summary>VTEPs with a path MTU of their own.</summary>
    public const int Peers = 96;

    /// <summary>What is beyond the budget.</summary>
    public const string Other = "other";

    /// <summary>What domains, peers and ports that are gone had counted.</summary>
    public const string Removed = "removed";
}
