// Writing to a TAP device. Send notes a frame; Flush has the lane's Coalescer group what was noted, and makes one writev of each train:
//
//   a single frame    [virtio header][frame]
//   several           [virtio header][headers of the super-frame][payload of the 1st frame]...[payload of the nth]
//
// so no payload is copied here. A kernel may refuse a super-frame where it takes the frames one by one (before 6.2: datagrams of UDP). They are then
// written so, and if that works, no more of that kind are made for this device.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Offload;

namespace VtepDataPlane.Linux.Tap;

/// <content>Writing.</content>
internal sealed unsafe partial class TapQueue
{
    // what is noted: a list of the lane's notes
    private int _first;
    private int _last;
    private int _count;

    private int _sentInSend;
    private TrainKinds _kinds = TrainKinds.All;

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        if (_count == TapLane.NotesOfAQueue || (_count > 0 && lane.IsCrowded))
            _sentInSend = Flush();
        ref TapNote note = ref AddNote();

        // The frame's slot lies in a FrameBatch's pinned memory and is borrowed until Flush returns, so its address stays valid.
        note.Bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(frame.Bytes));
        note.Length = frame.Length;
        note.Offload = frame.Info.Offload;
        note.Headers = frame.Info.Headers;
        note.Ticket = frame.Info.Ticket;
    }

    /// <inheritdoc/>
    public int Flush()
    {
        int sent = _sentInSend;
        _sentInSend = 0;
        if (_count == 0)
            return sent;
        int fd = FileDescriptor;
        sent += _count == 1 ? SendOne(fd, lane[_first]) : SendTrains(fd);
        lane.Return(_first, _last);
        _count = 0;
        return sent;
    }

    private ref TapNote AddNote()
    {
        int note = lane.Take();
        if (_count++ == 0)
            _first = note;
        else
            lane[_last].Next = note;
        _last = note;
        return ref lane[note];
    }

    private int SendTrains(int fd)
    {
        GroupNotes();
        int sent = 0;
        for (int i = 0; i < lane.Coalescer.Trains; i++)
        {
            ref readonly Train train = ref lane.Coalescer[i];
            sent += train.Frames == 1 ? SendOne(fd, NoteOf(train.First)) : SendTrain(fd, i, train);
        }

        return sent;
    }

    private void GroupNotes()
    {
        lane.Coalescer.Begin(_kinds);
        int next = _first;
        for (int i = 0; i < _count; i++)
        {
            lane.Order[i] = next;
            ref readonly TapNote note = ref lane[next];

            // Pinned and borrowed until Flush returns (see Send); the length is the frame's.
            lane.Coalescer.Add(new ReadOnlySpan<byte>(note.Bytes, note.Length), note.Headers, note.Offload);
            next = note.Next;
        }
    }

    private ref readonly TapNote NoteOf(int frame) => ref lane[lane.Order[frame]];

    /// <summary>Frames sent: all or none, unless they must go one by one.</summary>
    private int SendTrain(int fd, int number, in Train train)
    {
        ListPieces(number, train);
        int n = Write(fd);
        if (n == -LibC.EINVAL || n == -LibC.EIO)
            return SendSingly(fd, train);
        if (n < 0)
            return OnTrainFailed(-n, train);
        Meters.CountSent(train.Length);
        Meters.CountCoalesced(train.Frames - 1);
        return train.Frames;
    }

    private void ListPieces(int number, in Train train)
    {
        Span<byte> header = lane.Coalescer.Finish(number, out OffloadInfo offload);
        lane.Begin(offload);

        // The Coalescer's headers are pinned, and stay as they are until it is begun anew.
        lane.Add((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(header)), header.Length);
        int frame = train.First;
        for (int i = 0; i < train.Frames; i++)
        {
            // Within the frame, for headers of that length were read in it; borrowed until Flush returns (see Send).
            ref readonly TapNote note = ref NoteOf(frame);
            lane.Add(note.Bytes + train.HeaderLength, note.Length - train.HeaderLength);
            frame = lane.Coalescer.Next(frame);
        }
    }

    // EIO may also mean that the device is down, and then the frames fail as well.
    private int SendSingly(int fd, in Train train)
    {
        int sent = 0;
        int frame = train.First;
        for (int i = 0; i < train.Frames; i++)
        {
            sent += SendOne(fd, NoteOf(frame));
            frame = lane.Coalescer.Next(frame);
        }

        if (sent == train.Frames)
            _kinds &= ~train.Kind;
        return sent;
    }

    /// <summary>Frames sent: 1 or 0.</summary>
    private int SendOne(int fd, in TapNote note)
    {
        lane.Begin(note.Offload);
        lane.Add(note.Bytes, note.Length);
        int n = Write(fd);
        if (n < 0)
            return OnWriteFailed(-n, note.Ticket);
        Meters.CountSent(note.Length);
        return 1;
    }

    /// <summary>Writes the pieces listed. Bytes written, or -errno.</summary>
    private int Write(int fd)
    {
        if (fd == None)
            return -LibC.EBADF;
        int n;
        do
        {
            // The list is pinned, and so is what it names: the lane's header, the Coalescer's headers, frames until Flush returns.
            n = Libc.writev(fd, lane.Pieces, lane.PieceCount);
        }
        while (n == -LibC.EINTR);
        return n;
    }

    private int OnTrainFailed(int error, in Train train)
    {
        int frame = train.First;
        for (int i = 0; i < train.Frames; i++)
        {
            OnWriteFailed(error, NoteOf(frame).Ticket);
            frame = lane.Coalescer.Next(frame);
        }

        return 0;
    }

    /// <summary>Counts the frame as dropped. Frames sent: 0.</summary>
    private int OnWriteFailed(int error, int ticket)
    {
        if (error == LibC.EBADFD)
            Volatile.Write(ref _isGone, true);
        Meters.CountDrop(Reason(error), frames: 1, ticket);
        return 0;
    }

    // EBADF: there is no device now. EBADFD: it was deleted.
    private static DropReason Reason(int error)
    {
        if (error == LibC.EIO)
            return DropReason.PortDown;
        if (error == LibC.EBADF || error == LibC.EBADFD)
            return DropReason.PortGone;
        return Errno.IsNoBuffer(error) ? DropReason.PortNoBuffer : DropReason.PortError;
    }
}
