// What a capture costs the VTEP it is taken of: the whole of a TCP stream at full rate, written to a file by `vtep capture` on the same host, and the
// first 96 bytes of each frame. Capture may be lost, frames may not: the stream itself says what it lost in speed.

using System.Globalization;
using System.Text.RegularExpressions;
using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Captures beside a stream.</summary>
internal sealed partial class CaptureMeasurement(int seconds) : Measurement("capture-tcp-1")
{
    private const int Window = 5;
    private const string Headers = "96";
    private readonly int _windows = Math.Max(3, seconds / (3 * Window));

    /// <inheritdoc/>
    public override string Note => $"Ten domains. Windows of {Window} s of one TCP stream, {_windows} each without a capture, with one of whole frames to a file, "
        + $"and with one of {Headers} bytes of each, in turn; of the sending VTEP, on its host, the file on this machine's disk.";

    /// <inheritdoc/>
    public override void Measure(Action<Figure> tell)
    {
        using var pair = new TcpPair();
        Series off = new(), whole = new(), headers = new();
        (long Captured, long Lost) ofWhole = default, ofHeaders = default;
        for (int i = 0; i < _windows; i++)
        {
            off.Add(pair.Iperf.GigabitsPerSecond(Window));
            whole.Add(Beside(pair, [], ref ofWhole));
            headers.Add(Beside(pair, ["--snaplen", Headers], ref ofHeaders));
        }

        tell(Figure.Median("TCP, no capture", "Gbit/s", off));
        tell(Figure.Median("TCP, whole frames captured", "Gbit/s", whole));
        tell(Figure.Median($"TCP, {Headers} bytes captured", "Gbit/s", headers));
        tell(new Figure("whole / none", "", whole.Median!.Value / off.Median!.Value, Target.AtLeast(0.80)));
        tell(new Figure("headers / none", "", headers.Median!.Value / off.Median!.Value, Target.AtLeast(0.80)));
        tell(new Figure("whole: captured", "%", Share(ofWhole)));
        tell(new Figure("headers: captured", "%", Share(ofHeaders)));
    }

    private static double Share((long Captured, long Lost) frames) => 100.0 * frames.Captured / Math.Max(1, frames.Captured + frames.Lost);

    private static double Beside(TcpPair pair, string[] options, ref (long Captured, long Lost) frames)
    {
        string file = Path.Combine(Path.GetTempPath(), $"vtep-bench-{Guid.NewGuid():N}.pcapng");
        try
        {
            using var capture = new BackgroundProcess(
                "vtep capture", Shell.Start(Entrants.VtepProgram, ["capture", "--socket", pair.One.SocketPath, "-w", file, .. options]));
            Wait.Until("the capture runs", 10, () => capture.Text.Contains("Capturing", StringComparison.Ordinal));
            double rate = pair.Iperf.GigabitsPerSecond(Window);
            capture.Stop(TimeSpan.FromSeconds(60));
            Wait.Until("the capture has said what it saw", 10, () => Said().IsMatch(capture.Text));
            Match said = Said().Match(capture.Text);
            frames.Captured += long.Parse(said.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            frames.Lost += long.Parse(said.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
            return rate;
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex(@"(\d+) frames? captured, (\d+) lost")]
    private static partial Regex Said();
}
