// vtep bench: how fast the data plane is on this machine, without root and without a network: the system calls of TAP and UDP come on top.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using VtepDataPlane.Daemon.Bench;
using VtepDataPlane.Daemon.Tables;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The bench command.</summary>
internal static class BenchCommand
{
    private const int DefaultSeconds = 10;
    private const int MaxSeconds = 3600;

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds")
        {
            Description = "About how long to measure.",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultSeconds,
        };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        seconds.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: { } text }] && (!int.TryParse(text, out int value) || value is < 1 or > MaxSeconds))
                result.AddError($"--seconds: {VtepConfigRules.Quote(text)} is no number from 1 to {MaxSeconds}.");
        });
        var command = new Command("bench", "Measure encapsulation, decapsulation and FDB lookups on one core of this machine.") { seconds, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(
            Run(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(json), parsed.InvocationConfiguration, cancellation)));
        return command;
    }

    private static int Run(TimeSpan total, bool json, InvocationConfiguration writers, CancellationToken cancellation)
    {
        BenchReport report = BenchRun.Measure(total, cancellation);
        if (json)
            writers.Output.WriteLine(JsonSerializer.Serialize(report, BenchJson.Default.BenchReport));
        else
            Write(report, writers.Output, Terminal.OfStandardOutput());
        if (report.Dropped == 0)
            return ExitCode.Ok;
        writers.Error.WriteLine(
            $"{report.Dropped} of {report.Forwarded + report.Dropped} frames were dropped, so the times mean nothing; this is a bug in vtep.");
        return ExitCode.Failed;
    }

    private static void Write(BenchReport report, TextWriter output, Terminal terminal)
    {
        BenchMachine machine = report.Machine;
        output.WriteLine(
            $"One core of {VtepConfigRules.Escape(machine.Processor)}, {machine.VectorBits}-bit vectors, {machine.Build} build, "
            + $"{report.Stations} stations in the FDB.");
        output.WriteLine("Nanoseconds a frame, receiving from memory included, are medians of short rounds; in brackets the fastest and the slowest.");
        output.WriteLine();
        Frames(report).Write(output, terminal);
        output.WriteLine();
        Fdb(report).Write(output, terminal);
    }

    private static TextTable Frames(BenchReport report)
    {
        var table = new TextTable("#BYTES", "#AT ONCE", "#ENCAPSULATE", "", "#MPPS", "#GBIT/S", "#DECAPSULATE", "", "#MPPS", "#GBIT/S");
        foreach (BenchFrameRow row in report.Frames)
        {
            BenchSpeed to = row.Encapsulate, from = row.Decapsulate;
            table.Add(row.Bytes, row.AtOnce, Nanoseconds(to.Time), Spread(to.Time), Number(to.Mpps), Number(to.GbitPerSecond),
                Nanoseconds(from.Time), Spread(from.Time), Number(from.Mpps), Number(from.GbitPerSecond));
        }

        return table;
    }

    private static TextTable Fdb(BenchReport report)
    {
        var table = new TextTable("#FDB ENTRIES", "#LOOKUP", "");
        foreach (BenchFdbRow row in report.Fdb)
            table.Add(row.Entries, Nanoseconds(row.Lookup), Spread(row.Lookup));
        return table;
    }

    private static string Nanoseconds(BenchTime time) => $"{Number(time.Nanoseconds)} ns";

    private static string Spread(BenchTime time) => $"({Number(time.Least)} - {Number(time.Most)})";

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
