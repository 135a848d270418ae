// What the samples say to options that are wrong.

using NUnit.Framework;
using VtepDataPlane.Samples;

namespace VtepDataPlane.Tests.Samples;

public sealed class SampleOptionsTests
{
    [TestCase("", "-w is missing: the file to write, or - for standard output.")]
    [TestCase("-w", "-w needs a value.")]
    [TestCase("-w x --port 65536", "--port 65536 isn't understood: see the head of samples/MirrorSink/Program.cs.")]
    [TestCase("-w x --snaplen 0", "--snaplen 0 isn't understood: see the head of samples/MirrorSink/Program.cs.")]
    [TestCase("-w x --count -1", "--count -1 isn't understood: see the head of samples/MirrorSink/Program.cs.")]
    [TestCase("--sanplen 5 -w x", "--sanplen 5 isn't understood: see the head of samples/MirrorSink/Program.cs.")]
    public void MirrorSink_NamesWhatIsWrong(string line, string expected)
    {
        Assert.That(MirrorSinkOptions.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), out _, out string? why), Is.False);
        Assert.That(why, Is.EqualTo(expected));
    }

    [Test]
    public void MirrorSink_TakesWhatIsRight()
    {
        Assert.That(MirrorSinkOptions.TryParse(["-w", "-", "--port", "0", "--snaplen", "96", "--count", "7"], out MirrorSinkOptions? options, out _));
        Assert.That((options!.File, options.Port, options.SnapLength, options.Count), Is.EqualTo(("-", 0, 96, 7L)));
    }
}
