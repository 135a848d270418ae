// The way to the journal, against a socket that stands in for it: fields and their framing, what happens when it is away, full, or refuses
// a long entry, and that nothing from outside forges a field.

using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Logging;
using VtepDataPlane.Linux;
using VtepDataPlane.Tests.Program;

namespace VtepDataPlane.Tests.Logging;

#pragma warning disable CA1873 // the log is always on here

[TestFixture]
public sealed partial class JournalTests
{
    private TemporaryFolder _folder = null!;
    private Socket _journal = null!;
    private StringWriter _errors = null!;
    private JournalLoggerProvider _provider = null!;

    private string Path => _folder.File("journal");

    [SetUp]
    public void Listen()
    {
        _folder = new TemporaryFolder();
        _journal = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        _journal.Bind(new UnixDomainSocketEndPoint(Path));
        _errors = new StringWriter();
        _provider = new JournalLoggerProvider(new JournalSocket(Path, _errors));
    }

    [TearDown]
    public void Close()
    {
        _provider.Dispose();
        _journal.Dispose();
        _errors.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void AnEntry_HasItsMessage_ItsEvent_AndAFieldForEachValue()
    {
        PortGone(_provider.CreateLogger("Ports"), "tap-blue", 100, 4789);

        Assert.That(Receive(), Is.EqualTo(new[]
        {
            "MESSAGE=Port tap-blue of VNI 100 is gone from 4789", "PRIORITY=4", "SYSLOG_IDENTIFIER=vtep", "VTEP_EVENT=PortGone", "VTEP_EVENT_ID=9001",
            "VTEP_CATEGORY=Ports", "VTEP_PORT=tap-blue", "VTEP_VNI=100", "VTEP_UDP_PORT=4789",
        }));
        Assert.That(_errors.ToString(), Is.Empty);
    }

    [TestCase(LogLevel.Critical, "2")]
    [TestCase(LogLevel.Error, "3")]
    [TestCase(LogLevel.Warning, "4")]
    [TestCase(LogLevel.Information, "6")]
    [TestCase(LogLevel.Debug, "7")]
    public void Levels_ArePrioritiesOfSyslog(LogLevel level, string priority)
    {
        Said(_provider.CreateLogger("x"), level, "word");
        Assert.That(Receive(), Does.Contain($"PRIORITY={priority}"));
    }

    [Test]
    public void AValueFromOutside_ForgesNoField_AndHasNoControlCharacter()
    {
        Said(_provider.CreateLogger("x"), LogLevel.Information, "tap\nPRIORITY=0\n\u001b[31m\u202e\u2028\u009b");

        string[] fields = Receive();
        Assert.That(fields.Count(field => field.StartsWith("PRIORITY=", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(fields, Does.Contain("VTEP_WORD=tap\\u000aPRIORITY=0\\u000a\\u001b[31m\\u202e\\u2028\\u009b"));
        Assert.That(fields[0], Is.EqualTo("MESSAGE=tap\\u000aPRIORITY=0\\u000a\\u001b[31m\\u202e\\u2028\\u009b"));
    }

    [Test]
    public void ALineFeedInAField_StaysInIt()
    {
        Assert.That(Fields(new JournalEntry().Add("A", "1\nB=2").Add("C", "ä").Datagram.Span), Is.EqualTo(new[] { "A=1\nB=2", "C=ä" }));
        Assert.That(Convert.ToHexString(new JournalEntry().Add("A", "1\n").Datagram.Span), Is.EqualTo("410A" + "0200000000000000" + "310A" + "0A"));
    }

    [Test]
    public void ALongValue_IsCutAt256Characters_AndASentenceAt1024()
    {
        string text = new('x', 5000);
        Said(_provider.CreateLogger("x"), LogLevel.Information, text);
        Assert.That(Receive(), Does.Contain($"VTEP_WORD={new string('x', 253)}..."));
        Refused(_provider.CreateLogger("x"), text);
        Assert.That(Receive(), Does.Contain($"VTEP_REASON={new string('x', 1021)}..."));
    }

    [Test]
    public void AnException_IsAFieldOfLines()
    {
        Failed(_provider.CreateLogger("x"), new InvalidOperationException("bad\u001b thing"));

        string[] fields = Receive();
        Assert.That(fields[0], Is.EqualTo("MESSAGE=It failed: bad\\u001b thing"));
        Assert.That(fields.Single(field => field.StartsWith("VTEP_EXCEPTION=", StringComparison.Ordinal)), Does.StartWith("VTEP_EXCEPTION=System.InvalidOperationException: bad\\u001b thing"));
    }

    [Test]
    public void AnEntryTooLongForTheSocket_ArrivesShortened()
    {
        using var socket = new JournalSocket(Path, _errors);
        socket.Send(new JournalEntry().Add("MESSAGE", new string('x', 10 << 20)), () => new JournalEntry().Add("MESSAGE", "short"), "line");
        Assert.That(Receive(), Is.EqualTo(new[] { "MESSAGE=short" }));
        Assert.That(_errors.ToString(), Is.Empty);
    }

    [Test]
    public void AJournalThatIsAway_IsReplacedByStandardError_UntilItIsBack()
    {
        ILogger log = _provider.CreateLogger("x");
        _journal.Dispose();
        Said(log, LogLevel.Warning, "one");
        File.Delete(Path);
        Said(log, LogLevel.Error, "two");
        Assert.That(_errors.ToString(), Is.EqualTo("<4>one\n<3>two\n"));

        _journal = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        _journal.Bind(new UnixDomainSocketEndPoint(Path));
        Said(log, LogLevel.Error, "three");
        Assert.That(Receive()[0], Is.EqualTo("MESSAGE=three"));
    }

    [Test]
    public void AJournalThatIsFull_HoldsNobodyUp_AndLosesNothing()
    {
        ILogger log = _provider.CreateLogger("x");
        const int Many = 2000; // more than any queue of datagrams has
        for (int i = 0; i < Many; i++)
            Said(log, LogLevel.Information, $"{i}");

        var seen = new List<string>();
        while (_journal.Available > 0)
            seen.Add(Receive()[0]["MESSAGE=".Length..]);
        seen.AddRange(_errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line["<6>".Length..]));
        Assert.That(_errors.ToString(), Is.Not.Empty);
        Assert.That(seen, Is.EqualTo(Enumerable.Range(0, Many).Select(i => i.ToString(CultureInfo.InvariantCulture))));
    }

    [TestCase("vni", "VTEP_VNI")]
    [TestCase("udpPort", "VTEP_UDP_PORT")]
    [TestCase("IPAddress", "VTEP_IPADDRESS")]
    [TestCase("a=b\n0", "VTEP_A_B_0")]
    public void FieldNames_AreUpperCase_WithOurPrefix(string name, string field) => Assert.That(JournalEntry.FieldName(name), Is.EqualTo(field));

    [Test]
    public void TheJournalsStream_IsKnownByDeviceAndInode()
    {
        using var file = new FileStream(_folder.File("stream"), FileMode.Create);
        int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        string stat = ReadStat(_folder.File("stream"));
        Assert.That(JournalStream.IsDescriptor(stat, descriptor));
        Assert.That(JournalStream.IsDescriptor(stat + "1", descriptor), Is.False);
        foreach (string? wrong in new[] { null, "", "1", "1:2:3", "a:b", "-1:-1" })
            Assert.That(JournalStream.IsDescriptor(wrong, descriptor), Is.False);
        Assert.That(JournalStream.IsDescriptor("0:0", -1), Is.False);
    }

    private static string ReadStat(string path)
    {
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%d:%i", path]) { RedirectStandardOutput = true })!;
        string text = stat.StandardOutput.ReadToEnd().Trim();
        stat.WaitForExit();
        return text;
    }

    private string[] Receive()
    {
        byte[] buffer = new byte[256 << 10];
        return Fields(buffer.AsSpan(0, _journal.Receive(buffer)));
    }

    // The journal's own reading of the protocol's form with lengths.
    private static string[] Fields(ReadOnlySpan<byte> datagram)
    {
        var fields = new List<string>();
        while (!datagram.IsEmpty)
        {
            int end = datagram.IndexOf((byte)'\n');
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(datagram[(end + 1)..]);
            fields.Add($"{Encoding.ASCII.GetString(datagram[..end])}={Encoding.UTF8.GetString(datagram.Slice(end + 9, length))}");
            Assert.That(datagram[end + 9 + length], Is.EqualTo((byte)'\n'));
            datagram = datagram[(end + 10 + length)..];
        }

        return [.. fields];
    }

    [LoggerMessage(9001, LogLevel.Warning, "Port {port} of VNI {vni} is gone from {udpPort}")]
    private static partial void PortGone(ILogger log, string port, int vni, int udpPort);

    [LoggerMessage(EventId = 9002, Message = "{word}")]
    private static partial void Said(ILogger log, LogLevel level, string word);

    [LoggerMessage(9003, LogLevel.Error, "{reason}")]
    private static partial void Refused(ILogger log, string reason);

    [LoggerMessage(9004, LogLevel.Error, "It failed")]
    private static partial void Failed(ILogger log, Exception error);
}
