// A plan for people, one line for each difference. + comes, - goes, ~ changes, = stays, ! needs a restart. Lines are not folded: one line
// is one thing, to be searched and counted.

using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>Plans as text.</summary>
internal static class PlanText
{
    public static void Write(ConfigPlan plan, TextWriter output)
    {
        foreach (DomainPlan domain in plan.Domains)
            Write(domain, output);
        if (plan.Unchanged > 0)
            output.WriteLine(plan.Unchanged == 1 ? "= 1 domain unchanged: it loses no frame" : $"= {plan.Unchanged} domains unchanged: they lose no frame");
        foreach (PlanChange change in plan.Restart)
            output.WriteLine($"! {Escape(change.What)}{Values(change)}{Verb(change.Action)} needs a restart");
        if (plan.IsEmpty)
            output.WriteLine("Nothing would change.");
        else if (plan.NeedsRestart)
            output.WriteLine("A reload would be refused: restart vtep for what is marked !, or undo it.");
    }

    private static void Write(DomainPlan domain, TextWriter output)
    {
        output.WriteLine($"{Sign(domain.Action)} domain {Escape(domain.Name)} (VNI {domain.Vni}): {Escape(domain.Summary)}");
        foreach (PlanChange change in domain.Changes)
            output.WriteLine($"    {Sign(change.Action)} {Escape(change.What)}{Values(change)}{Effect(change)}");
    }

    private static char Sign(PlanAction action) => action switch
    {
        PlanAction.Add => '+',
        PlanAction.Remove => '-',
        _ => '~',
    };

    private static string Values(PlanChange change) => (change.Now, change.Next, change.Action) switch
    {
        (null, null, _) => "",
        (null, _, PlanAction.Add) => $": {Escape(change.Next)}",
        (_, null, PlanAction.Remove) => $": {Escape(change.Now)}",
        _ => $": {Escape(change.Now ?? "nothing")} -> {Escape(change.Next ?? "nothing")}",
    };

    private static string Verb(PlanAction action) => action switch
    {
        PlanAction.Add => " (added)",
        PlanAction.Remove => " (removed)",
        _ => "",
    };

    private static string Effect(PlanChange change) => change.Effect is null ? "" : $" ({Escape(change.Effect)})";

    private static string Escape(string text) => VtepConfigRules.Escape(text);
}
