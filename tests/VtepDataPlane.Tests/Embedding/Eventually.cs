// Waiting for what other threads do: by a condition, with a bound.

using NUnit.Framework;

namespace VtepDataPlane.Tests.Embedding;

internal static class Eventually
{
    /// <summary>Waits until a condition holds; fails after 10 s.</summary>
    public static void Holds(string what, Func<bool> condition, Func<string>? state = null) =>
        Assert.That(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)), Is.True, () => $"not so after 10 s: {what}; {state?.Invoke()}");
}
