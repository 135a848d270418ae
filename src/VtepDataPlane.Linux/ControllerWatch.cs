// What of the controllers' state is worth a line in the log: each change of state once, and each new trouble once when it appears. Looked at by the
// control loop once a second, and one line a controller at most comes of a look: what flaps faster than that, or many things that happen at once,
// come one after the other, and what is over by then isn't told any more. So a store that comes and goes can't flood the log.
//
// Beside the log's calls there is nothing of Linux here; time is an argument. Control loop only.

using System.Globalization;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Linux;

/// <summary>A line for the operator.</summary>
/// <param name="IsWarning">A warning; otherwise information.</param>
/// <param name="Text">What happened.</param>
internal readonly record struct ControllerLine(bool IsWarning, string Text);

/// <summary>Finds what is new about controllers.</summary>
internal sealed class ControllerWatch
{
    private readonly Dictionary<string, Told> _told = [];

    /// <summary>What is new since the last look, one line a controller at most. Called about once a second.</summary>
    /// <param name="report">How the controllers are.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public IReadOnlyList<ControllerLine> See(ControllerReport report, long nowMilliseconds)
    {
        var lines = new List<ControllerLine>();
        foreach (ControllerSnapshot controller in report.Controllers)
        {
            if (!_told.TryGetValue(controller.Name, out Told? told))
                _told.Add(controller.Name, told = new Told());
            if (Change(told, controller, nowMilliseconds) is { } change)
                lines.Add(change);
            else if (Trouble(told, report.Warnings.Where(warning => warning.Controller == controller.Name)) is { } trouble)
                lines.Add(trouble);
        }

        return lines;
    }

    private static ControllerLine? Change(Told told, ControllerSnapshot controller, long nowMilliseconds)
    {
        if (controller.State == told.State)
            return null;
        told.State = controller.State;
        if (controller.State is "degraded" or "refused")
        {
            told.AwaySince ??= nowMilliseconds - 1000 * controller.StateSeconds;
            return new ControllerLine(true, $"Controller {controller.Name} is {controller.State}: {VtepConfigRules.Escape(controller.Problem ?? "no reason given")}");
        }

        if (controller.State != "connected")
            return new ControllerLine(false, $"Controller {controller.Name} is {controller.State}");
        string away = told.AwaySince is { } since ? string.Create(CultureInfo.InvariantCulture, $" again after {(nowMilliseconds - since) / 1000} s") : "";
        told.AwaySince = null;
        return new ControllerLine(false, $"Controller {controller.Name} is connected{away}");
    }

    // A trouble that is over may be told again when it comes back.
    private static ControllerLine? Trouble(Told told, IEnumerable<ControllerWarning> warnings)
    {
        Dictionary<string, string> troubles = [];
        foreach (ControllerWarning warning in warnings.Where(warning => warning.About != ControllerWarning.Away))
            troubles[warning.About] = warning.Text;
        told.Troubles.RemoveWhere(about => !troubles.ContainsKey(about));
        foreach ((string about, string text) in troubles)
        {
            if (told.Troubles.Add(about))
                return new ControllerLine(true, text);
        }

        return null;
    }

    private sealed class Told
    {
        /// <summary>The state that was told last; what a start begins with needs no telling.</summary>
        public string State { get; set; } = "connecting";

        public long? AwaySince { get; set; }

        public HashSet<string> Troubles { get; } = [];
    }
}
