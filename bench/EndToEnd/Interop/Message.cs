// struct mmsghdr with fields: Tmds.LibC's has a property that gives a copy of its header, which can't be changed in place.

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>One message of sendmmsg(2) and recvmmsg(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Message
{
    public msghdr Header;
    public uint Length;
}
