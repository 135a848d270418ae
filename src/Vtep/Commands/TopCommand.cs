// vtep top: what goes through the daemon right now, see Top/.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using VtepDataPlane.Daemon.Top;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The top command.</summary>
internal static class TopCommand
{
    private const double ShortestSeconds = 0.1;
    private const double LongestSeconds = 60;

    public static Command Create()
    {
        var interval = new Option<double>("--interval")
        {
            Description = "From picture to picture, 0.1 to 60.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 1,
            CustomParser = ParseInterval,
        };
        var count = new Option<int>("--count")
        {
            Description = "End after so many pictures, and leave them on the terminal.",
            HelpName = "N",
            CustomParser = ParseCount,
        };
        var json = new Option<bool>("--json") { Description = "Print JSON, an object a line." };
        Option<string> socket = ControlCommands.SocketOption();
        var command = new Command("top", "Watch rates by domain, peer and drop reason. Keys: q ends, d, p and r show one table alone.")
        {
            interval, count, json, socket,
        };
        command.SetAction(parsed => ControlCommands.AskAsync(parsed, socket, TrafficSampler.Patience, async (client, output) =>
        {
            var options = new TopOptions(TimeSpan.FromSeconds(parsed.GetValue(interval)), parsed.GetValue(count), parsed.GetValue(json));
            using var view = new TopView(new TrafficSampler(client, TimeProvider.System), options, TimeProvider.System, output);
            await view.RunAsync();
        }));
        return command;
    }

    private static double ParseInterval(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= ShortestSeconds and <= LongestSeconds)
            return seconds;
        result.AddError($"--interval: {VtepConfigRules.Quote(text)} is no number of seconds from 0.1 to 60.");
        return 0;
    }

    private static int ParseCount(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0)
            return count;
        result.AddError($"--count: {VtepConfigRules.Quote(text)} is no number of pictures; write 1 or more.");
        return 0;
    }
}
