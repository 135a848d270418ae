// Before the first test of this project: what must be there for any of them, and away with what a killed run left behind.

using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

// Fixtures that say so run three at a time, apart from all others: hosts have names and namespaces of their own in each test.
[assembly: LevelOfParallelism(3)]

namespace VtepDataPlane.SystemTests;

/// <summary>Set-up of the whole run.</summary>
[SetUpFixture]
internal sealed partial class SystemTestRun
{
    /// <summary>Deletes namespaces whose maker no longer lives.</summary>
    [OneTimeSetUp]
    public void SweepLeftovers()
    {
        Requirements.Need("ip", "sysctl");
        foreach (string line in Command.Run("ip", "netns", "list").OrFail().Output.Split('\n'))
        {
            Match match = OurNamespace().Match(line);
            if (match.Success && !Directory.Exists($"/proc/{match.Groups[1].Value}"))
                Command.Run("ip", "netns", "del", match.Value).OrFail();
        }
    }

    [GeneratedRegex(@"^vt(\d{1,9})-[0-9a-z-]+")]
    private static partial Regex OurNamespace();
}
