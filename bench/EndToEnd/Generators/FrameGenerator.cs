// Offers frames to a device as fast as it can, forever: a packet socket that sends past the queueing discipline, 64 frames a system call, the flows
// in turn. Frames sent this way leave the device, so a TAP hands them to whoever reads it. A full TAP refuses a frame; the next is tried then.

using Tmds.Linux;
using VtepDataPlane.EndToEnd.Interop;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.EndToEnd.Generators;

/// <summary>Frames into a device.</summary>
internal static unsafe class FrameGenerator
{
    private const int Batch = 64;

    /// <summary>Never returns: a generator ends by a signal.</summary>
    public static void Run(string device, byte[][] frames)
    {
        int socket = Descriptors.Packet(device);
        int size = frames[0].Length;
        byte* bytes = Native.Array<byte>(frames.Length * size);
        iovec* buffers = Native.Array<iovec>(Batch);
        Message* messages = Native.Array<Message>(Batch);
        for (int i = 0; i < frames.Length; i++)
            frames[i].CopyTo(new Span<byte>(bytes + i * size, size));

        // Every pointer is into arrays that are never freed, at an index below their length.
        for (int i = 0; i < Batch; i++)
        {
            buffers[i] = new iovec { iov_base = bytes + i % frames.Length * size, iov_len = size };
            messages[i].Header.msg_iov = buffers + i;
            messages[i].Header.msg_iovlen = 1;
        }

        while (true)
            SendBatch(socket, messages);
    }

    private static void SendBatch(int socket, Message* messages)
    {
        for (int done = 0; done < Batch;)
        {
            // The array is never freed; the count given is what is left of it.
            int sent = Libc.sendmmsg(socket, (mmsghdr*)(messages + done), (uint)(Batch - done), 0);
            done += Math.Max(1, sent);
            if (sent == -LibC.ENXIO || sent == -LibC.ENODEV)
                throw new BenchException($"The device is gone: {Errno.Describe(sent)}.");
        }
    }
}
