// The socket itself: silence, datagrams that don't fit, and datagrams which the kernel didn't send.

using System.Runtime.InteropServices;
using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class NetlinkSocketTests
{
    private const int AddressSize = 12; // struct sockaddr_nl

    [Test]
    public void Receive_WhileTheKernelIsSilent_EndsAfterTwoSeconds()
    {
        using NetlinkSocket socket = NetlinkSocket.OpenForRequests();
        long start = TimeProvider.System.GetTimestamp();

        Assert.That(socket.Receive(new byte[64]), Is.EqualTo(-LibC.EAGAIN));

        Assert.That(TimeProvider.System.GetElapsedTime(start), Is.InRange(TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Receive_OfMoreThanTheBuffer_GivesEmsgsize_AndWritesNoByteBeyond()
    {
        using NetlinkSocket socket = NetlinkSocket.OpenForRequests();
        byte[] buffer = [.. Enumerable.Repeat<byte>(0xA5, 64)];
        Assert.That(socket.Send(AskForLoopback()), Is.Zero);

        Assert.That(socket.Receive(buffer.AsSpan(0, 24)), Is.EqualTo(-LibC.EMSGSIZE));

        Assert.That(buffer[24..], Has.All.EqualTo(0xA5));
    }

    [Test]
    public void Receive_PassesOverADatagramOfAnotherProcess()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Fail("Needs root, because only root may send to another's netlink socket: run 'sudo tests/run.sh'.");
        using NetlinkSocket socket = NetlinkSocket.OpenForRequests();
        using NetlinkSocket other = NetlinkSocket.OpenForNotifications(0, NetlinkSocket.ReceiveBuffer);
        byte[] address = new byte[AddressSize];
        int length = AddressSize;
        Assert.That(GetSocketName(socket.FileDescriptor, address, ref length), Is.Zero);
        byte[] forged = AskForLoopback();
        Assert.That((int)SendTo(other.FileDescriptor, forged, forged.Length, 0, address, AddressSize), Is.EqualTo(forged.Length));
        Assert.That(socket.Send(AskForLoopback()), Is.Zero);

        byte[] received = new byte[NetlinkSocket.DatagramSize];
        int size = socket.Receive(received);

        Assert.That(size, Is.GreaterThan(0));
        Assert.That(new NetlinkMessages(received.AsSpan(0, size)).TryNext(out NetlinkMessage message), Is.True);
        Assert.That(message.Type, Is.EqualTo(Rtnl.RTM_NEWLINK), "the kernel's answer, not the forged request");
    }

    private static byte[] AskForLoopback()
    {
        var request = new NetlinkWriter(new byte[64], Rtnl.RTM_GETLINK, 0);
        request.Append(Rtnl.IFINFOMSG_SIZE)[4] = 1;
        return request.Finish(1).ToArray();
    }

    [DllImport("libc", EntryPoint = "getsockname")]
    private static extern int GetSocketName(int fd, byte[] address, ref int length);

    [DllImport("libc", EntryPoint = "sendto")]
    private static extern nint SendTo(int fd, byte[] data, nint length, int flags, byte[] address, int addressLength);
}
