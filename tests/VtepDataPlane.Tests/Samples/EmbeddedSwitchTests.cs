// The walk that samples/EmbeddedSwitch prints, line by line.

using NUnit.Framework;
using VtepDataPlane.Samples;

namespace VtepDataPlane.Tests.Samples;

public sealed class EmbeddedSwitchTests
{
    private const string Walk =
        """
        1. Host a asks who has host b's address. Nobody knows where host b is: flooded.
             host a sends      02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff  ARP: who has 198.19.0.11? Tell 198.19.0.10
             192.0.2.1 -> 192.0.2.2, VNI 100: 42 bytes
             192.0.2.1 -> 192.0.2.3, VNI 100: 42 bytes
             host b receives   02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff  ARP: who has 198.19.0.11? Tell 198.19.0.10
             host c receives   02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff  ARP: who has 198.19.0.11? Tell 198.19.0.10
        2. Host b answers. Its VTEP has learned host a from the request: one datagram.
             host b sends      02:00:00:00:00:0b > 02:00:00:00:00:0a  ARP: 198.19.0.11 is at 02:00:00:00:00:0b
             192.0.2.2 -> 192.0.2.1, VNI 100: 42 bytes
             host a receives   02:00:00:00:00:0b > 02:00:00:00:00:0a  ARP: 198.19.0.11 is at 02:00:00:00:00:0b
        3. Host a greets host b. Its VTEP has learned host b from the answer: one datagram.
             host a sends      02:00:00:00:00:0a > 02:00:00:00:00:0b  20 bytes
             192.0.2.1 -> 192.0.2.2, VNI 100: 20 bytes
             host b receives   02:00:00:00:00:0a > 02:00:00:00:00:0b  20 bytes
        FDB of 192.0.2.1
             02:00:00:00:00:0a  local   a
             02:00:00:00:00:0b  remote  192.0.2.2
        FDB of 192.0.2.2
             02:00:00:00:00:0a  remote  192.0.2.1
             02:00:00:00:00:0b  local   b
        FDB of 192.0.2.3
             02:00:00:00:00:0a  remote  192.0.2.1
        Books of 192.0.2.1: received 3 + replicated 1 = sent 4 + dropped 0
        Books of 192.0.2.2: received 3 + replicated 0 = sent 3 + dropped 0
        Books of 192.0.2.3: received 1 + replicated 0 = sent 1 + dropped 0
        """;

    [Test]
    public async Task ThePacketWalk_IsTheSameEveryTime()
    {
        for (int i = 0; i < 5; i++)
        {
            using var output = new StringWriter { NewLine = "\n" };
            await EmbeddedSwitch.RunAsync(output);
            Assert.That(output.ToString().TrimEnd(), Is.EqualTo(Walk));
        }
    }
}
