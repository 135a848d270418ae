// VTEPs and interface addresses as text: what is written is read again, and what isn't one is refused.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class EndpointTextTests
{
    private static readonly Gen<InetAddress> s_addresses = Gen.OneOf(
        Gen.UInt.Select(InetAddress.FromIPv4),
        Gen.Select(Gen.ULong, Gen.ULong).Select((high, low) => InetAddress.FromIPv6(high, low)));

    [TestCase("198.18.0.2", "198.18.0.2:4789")]
    [TestCase("198.18.0.2:8472", "198.18.0.2:8472")]
    [TestCase("fd00::2", "[fd00::2]:4789")]
    [TestCase("[fd00::2]", "[fd00::2]:4789")]
    [TestCase("[fd00::2]:8472", "[fd00::2]:8472")]
    [TestCase("::ffff:198.18.0.2", "198.18.0.2:4789")]
    public void Endpoint_IsRead(string text, string expected)
    {
        Assert.That(EndpointText.TryParse(text, 4789, out VtepEndpoint endpoint), Is.True);
        Assert.That(endpoint.ToString(), Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase(":")]
    [TestCase(":4789")]
    [TestCase("198.18.0.2:")]
    [TestCase("198.18.0.2:0")]
    [TestCase("198.18.0.2:65536")]
    [TestCase("198.18.0.2:+1")]
    [TestCase("198.18.0.2: 1")]
    [TestCase("198.18.0")]
    [TestCase("198.18.0.2/24")]
    [TestCase("[198.18.0.2]:4789")]
    [TestCase("[fd00::2")]
    [TestCase("fd00::2]")]
    [TestCase("[fd00::2]4789")]
    [TestCase("[]:4789")]
    [TestCase("[]")]
    [TestCase("[")]
    [TestCase("fe80::1%eth0")]
    [TestCase("localhost:4789")]
    public void TextThatIsNoEndpoint_IsRefused(string text)
    {
        Assert.That(EndpointText.TryParse(text, 4789, out VtepEndpoint endpoint), Is.False);
        Assert.That(endpoint, Is.EqualTo(default(VtepEndpoint)));
    }

    [Test]
    public void WrittenEndpoint_IsReadAgain() =>
        Gen.Select(s_addresses, Gen.UShort[1, ushort.MaxValue]).Sample((address, port) =>
        {
            var endpoint = new VtepEndpoint(address, port);
            return EndpointText.TryParse(endpoint.ToString(), 1, out VtepEndpoint read)
                && (read == endpoint || address.ToIPAddress().IsIPv4MappedToIPv6);
        });

    [Test]
    public void WrittenInterfaceAddress_IsReadAgain() =>
        Gen.Select(s_addresses, Gen.Byte).Sample((address, prefix) =>
        {
            var written = new InterfaceAddress(address, prefix);
            return EndpointText.TryParseInterfaceAddress(written.ToString(), out InterfaceAddress read)
                && (read == written || address.ToIPAddress().IsIPv4MappedToIPv6);
        });

    [Test]
    public void AnyText_IsReadOrRefused_NeverThrown() =>
        Gen.String[Gen.Char["0123456789abcdef:.[]/%x "], 0, 24].Sample(text =>
        {
            bool isEndpoint = EndpointText.TryParse(text, 4789, out VtepEndpoint endpoint);
            bool isAddress = EndpointText.TryParseInterfaceAddress(text, out InterfaceAddress address);
            Assert.That(endpoint.Address.IsNone, Is.EqualTo(!isEndpoint));
            Assert.That(address.Address.IsNone, Is.EqualTo(!isAddress));
        });

    [TestCase("198.19.0.1")]
    [TestCase("/24")]
    [TestCase("198.19.0.1/")]
    [TestCase("198.19.0.1/256")]
    [TestCase("198.19.0.1/-1")]
    [TestCase("198.19.0.1/24/24")]
    public void TextThatIsNoInterfaceAddress_IsRefused(string text) =>
        Assert.That(EndpointText.TryParseInterfaceAddress(text, out _), Is.False);
}
