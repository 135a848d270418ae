// ping(8) from one station to another, its statistics read.

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>What ping counted.</summary>
internal sealed partial record PingResult(int Sent, int Received, int Duplicates, string Text)
{
    public int Lost => Sent - Received;

    /// <summary>
    /// Requests were answered up to one, and those after it not in time. ping waits for the last answers only twice as long as the longest one took, or one
    /// interval (iputils, __schedule_exit), which on a busy machine says nothing about them. Whoever asks once more finds out: what is lost for good is lost again.
    /// </summary>
    public bool IsEndMissing => Lost > 0 && Replies().Matches(Text) is { Count: > 0 } replies && Enumerable.Range(1, Received).SequenceEqual(replies.Select(reply => Number(reply.Groups[1])).Order());

    /// <summary>The MTU the sender was told of by its own IP layer ("message too long, mtu=1450") or an ICMP error; null: not at all.</summary>
    public int? ToldMtu => MtuTold().Match(Text) is { Success: true } match ? Number(match.Groups[1]) : null;

    /// <summary>Reads ping's output.</summary>
    public static PingResult Read(string text)
    {
        Match match = Statistics().Match(text);
        return match.Success
            ? new PingResult(Number(match.Groups[1]), Number(match.Groups[2]), match.Groups[3].Success ? Number(match.Groups[3]) : 0, text)
            : new PingResult(0, 0, 0, text);
    }

    [GeneratedRegex(@"mtu ?[=:] ?(\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex MtuTold();

    internal static int Number(Group group) => int.Parse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"bytes from .* icmp_seq=(\d+)")]
    internal static partial Regex Replies();

    [GeneratedRegex(@"(\d+) packets transmitted, (\d+) received,(?: \+(\d+) duplicates,)?")]
    private static partial Regex Statistics();
}

/// <summary>Runs ping.</summary>
internal static partial class Ping
{
    /// <summary>Longest time from the last request to giving up on its reply.</summary>
    private const int ReplyLimitSeconds = 1;

    /// <summary>A reply that late is lost.</summary>
    private const int LateSeconds = 2;

    /// <summary>Pings <paramref name="to"/> from <paramref name="from"/> and gives the statistics, whatever they are.</summary>
    /// <param name="from">The sender.</param>
    /// <param name="to">The address.</param>
    /// <param name="count">Requests.</param>
    /// <param name="payload">Bytes of data in each; the ICMP header has 8 more.</param>
    /// <param name="interval">Seconds between requests.</param>
    /// <param name="dontFragment">Set DF, and refuse to send what is longer than the path MTU.</param>
    public static PingResult Run(
        Station from, IPAddress to, int count = 5, int payload = 56, double interval = 0.01, bool dontFragment = false)
    {
        var arguments = Arguments(from, to, interval);
        arguments.AddRange(["-c", $"{count}", "-s", $"{payload}"]);
        if (dontFragment)
            arguments.AddRange(["-M", "do"]);
        PingResult result = Once();
        return result.IsEndMissing ? Once() : result;

        PingResult Once()
        {
            CommandResult run = from.Namespace.Try(TimeSpan.FromSeconds(5 + count * (interval + 0.01)), "ping", arguments);
            return PingResult.Read(run.Output + run.Error);
        }
    }

    /// <summary>Pings both addresses of a station; every request must be answered exactly once.</summary>
    public static void AssertReaches(Station from, Station to, int count = 5, int payload = 56)
    {
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            PingResult result = Run(from, to.Address(family), count, payload);
            string who = $"{from.Namespace.Name} to {to.Address(family)}";
            Assert.That((result.Received, result.Duplicates), Is.EqualTo((count, 0)), $"{who}:\n{result.Text}");
        }
    }

    /// <summary>Waits until one request is answered, and gives the time that took.</summary>
    public static TimeSpan UntilReached(Station from, IPAddress to, double seconds = 10) =>
        Wait.Until($"{from.Namespace.Name} reaches {to}", () => Run(from, to, count: 1).Received == 1, seconds);

    /// <summary>Starts a ping without end and waits for its first reply; <see cref="StopAndRead"/> gives its statistics.</summary>
    public static BackgroundProcess Start(Station from, IPAddress to, double interval)
    {
        BackgroundProcess ping = from.Namespace.Start("ping", Arguments(from, to, interval));
        ping.WaitForLine("bytes from");
        return ping;
    }

    /// <summary>
    /// Ends a ping started with <see cref="Start"/>, after ten more replies: those before the last one of them that are missing, and don't come late either, were
    /// lost. Replies overtake each other: a flow goes by another queue, and its worker may have to wait for a processor. ping's own statistics would count
    /// a request that is still under way.
    /// </summary>
    public static PingResult StopAndRead(BackgroundProcess ping)
    {
        int enough = Answered(ping).Count + 10;
        Wait.Until("ping has ten more replies", () => Answered(ping).Count >= enough, 5, () => ping.Text);
        int last = Answered(ping).Max();
        long start = Stopwatch.GetTimestamp();
        Wait.Until("no reply is missing, or it is lost", () => Distinct(ping, last) == last || Stopwatch.GetElapsedTime(start).TotalSeconds > LateSeconds);
        ping.Signal("INT");
        ping.WaitForExit(TimeSpan.FromSeconds(5));
        int duplicates = Answered(ping).CountBy(sequence => sequence).Sum(replies => replies.Value - 1);
        return new PingResult(last, Distinct(ping, last), duplicates, ping.Text);
    }

    private static int Distinct(BackgroundProcess ping, int last) => Answered(ping).Distinct().Count(sequence => sequence <= last);

    private static List<int> Answered(BackgroundProcess ping) =>
        [.. ping.Lines.Select(line => PingResult.Replies().Match(line)).Where(match => match.Success).Select(match => PingResult.Number(match.Groups[1]))];

    private static List<string> Arguments(Station from, IPAddress to, double interval) =>
        ["-n", "-W", $"{ReplyLimitSeconds}", "-i", interval.ToString(CultureInfo.InvariantCulture), "-I", from.Device, to.ToString()];
}
