// Who holds a UDP port we can't bind. The kernel says EADDRINUSE and no more, so: (1) the tables of UDP sockets of our network
// namespace, /proc/thread-self/net/udp and udp6, give the sockets on the port whose address conflicts with ours, and their
// inodes; (2) the process that has a descriptor of such an inode, /proc/PID/fd, is the owner; (3) a socket without any process
// is the kernel's own, and a vxlan device that is up on that port says which. The tables are per thread, since network
// namespaces are. Formats: proc_pid_net(5) and udp4_format_sock in net/ipv4/udp.c.
//
// Set-up only: it walks all of /proc. Never throws for what it finds there; processes come and go while it looks.

using System.Buffers.Binary;
using System.Globalization;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>A bound UDP socket, as a line of /proc/net/udp or udp6 shows it.</summary>
/// <param name="Address">Where it is bound; unspecified for all addresses. A mapped address (::ffff:a.b.c.d) is given as IPv4.</param>
/// <param name="Port">Its port.</param>
/// <param name="UserId">Who made it.</param>
/// <param name="Inode">Identifies it among the descriptors of processes; 0 when it has none.</param>
internal readonly record struct BoundUdpSocket(InetAddress Address, int Port, uint UserId, ulong Inode);

/// <summary>Names the owner of a UDP port.</summary>
internal static class PortOwner
{
    private const int NamedDevices = 3;

    private enum Search
    {
        NoProcess,
        Found,
        SomeHidden,
    }

    /// <summary>A clause without full stop that says who holds the port, to follow "the address is already in use".</summary>
    /// <param name="address">The local address that couldn't be bound.</param>
    /// <param name="port">The UDP port.</param>
    /// <param name="netlink">Knows the vxlan devices of this namespace.</param>
    /// <exception cref="VtepException">The kernel doesn't tell its links.</exception>
    public static string Describe(in InetAddress address, int port, RtNetlink netlink)
    {
        ArgumentNullException.ThrowIfNull(netlink);
        List<BoundUdpSocket> holders = Conflicting(ReadTables(), address, port);
        if (holders.Count == 0)
            return $"UDP port {port} was taken on {address}, but whoever held it is gone by now; try again";
        BoundUdpSocket holder = holders[0];
        string where = holder.Address.IsUnspecified ? "all addresses" : holder.Address.ToString();
        return $"UDP port {port} on {where} is held by {Owner(holder, netlink)}";
    }

    /// <summary>Reads the text of /proc/net/udp or udp6. Lines that aren't sockets are passed over.</summary>
    internal static IReadOnlyList<BoundUdpSocket> Parse(string table)
    {
        var sockets = new List<BoundUdpSocket>();
        foreach (ReadOnlySpan<char> line in table.AsSpan().EnumerateLines())
        {
            if (TryParseLine(line, out BoundUdpSocket socket))
                sockets.Add(socket);
        }

        return sockets;
    }

    /// <summary>The sockets on the port that keep <paramref name="address"/> from being bound, the most exact first.</summary>
    internal static List<BoundUdpSocket> Conflicting(IEnumerable<BoundUdpSocket> sockets, InetAddress address, int port) =>
    [
        .. sockets.Where(socket => socket.Port == port && Conflicts(socket.Address, address))
            .OrderBy(socket => socket.Address == address ? 0 : socket.Address.Version == address.Version ? 1 : 2),
    ];

    /// <summary>
    /// Whether a socket bound to one address keeps another from being bound. "::" takes IPv4 as well unless IPV6_V6ONLY is set,
    /// which the table doesn't show: such a socket is the last one suspected.
    /// </summary>
    private static bool Conflicts(InetAddress bound, InetAddress wanted)
    {
        if (bound.Version == wanted.Version)
            return bound == wanted || bound.IsUnspecified || wanted.IsUnspecified;
        return (bound.IsIPv6 && bound.IsUnspecified) || (wanted.IsIPv6 && wanted.IsUnspecified);
    }

    /// <summary>Columns: slot, local address:port, remote, state, queues, timer, retransmits, uid, timeout, inode, …</summary>
    private static bool TryParseLine(ReadOnlySpan<char> line, out BoundUdpSocket socket)
    {
        const int Local = 1;
        const int UserId = 7;
        const int Inode = 9;
        socket = default;
        Span<Range> columns = stackalloc Range[Inode + 2];
        if (line.Split(columns, ' ', StringSplitOptions.RemoveEmptyEntries) <= Inode)
            return false;
        ReadOnlySpan<char> local = line[columns[Local]];
        int colon = local.IndexOf(':');
        if (colon < 0 || !TryParseAddress(local[..colon], out InetAddress address)
            || !ushort.TryParse(local[(colon + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort port)
            || !uint.TryParse(line[columns[UserId]], NumberStyles.None, CultureInfo.InvariantCulture, out uint user)
            || !ulong.TryParse(line[columns[Inode]], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
        {
            return false;
        }

        socket = new BoundUdpSocket(address, port, user, inode);
        return true;
    }

    /// <summary>The kernel prints each 32-bit word of the address as it lies in memory: network bytes read as a host integer.</summary>
    private static bool TryParseAddress(ReadOnlySpan<char> text, out InetAddress address)
    {
        const int WordDigits = 8;
        address = default;
        Span<byte> bytes = stackalloc byte[16];
        if (text.Length is not (WordDigits or 4 * WordDigits))
            return false;
        for (int word = 0; word < text.Length / WordDigits; word++)
        {
            ReadOnlySpan<char> digits = text.Slice(word * WordDigits, WordDigits);
            if (!uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value))
                return false;
            uint networkOrder = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(word * sizeof(uint))..], networkOrder);
        }

        address = text.Length == WordDigits ? InetAddress.ReadIPv4(bytes) : Unmapped(InetAddress.ReadIPv6(bytes));
        return true;
    }

    private static InetAddress Unmapped(InetAddress address) =>
        address.High == 0 && address.Low >> 32 == 0xFFFF ? InetAddress.FromIPv4((uint)address.Low) : address;

    private static IEnumerable<BoundUdpSocket> ReadTables()
    {
        // A kernel without IPv6 has no udp6.
        string[] tables = ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"];
        return tables.Where(File.Exists).SelectMany(path => Parse(File.ReadAllText(path)));
    }

    private static string Owner(BoundUdpSocket socket, RtNetlink netlink)
    {
        Search search = FindProcess(socket.Inode, out string process);
        if (search == Search.Found)
            return process;
        List<LinkInfo> devices = [.. netlink.GetLinks().Where(link => link.IsUp && link.VxlanPort == socket.Port)];
        if (devices.Count > 0)
            return KernelDevices(devices);
        return search == Search.SomeHidden
            ? $"a process of user id {socket.UserId} that this user may not look into (ask 'ss -lunp' as root)"
            : "an unknown kernel socket (a vxlan device that was moved to another network namespace keeps its socket here)";
    }

    private static string KernelDevices(List<LinkInfo> devices)
    {
        if (devices.Count == 1)
            return $"the kernel's vxlan device '{devices[0].Name}'";
        string names = string.Join(", ", devices.Take(NamedDevices).Select(device => $"'{device.Name}'"));
        string more = devices.Count > NamedDevices ? $" and {devices.Count - NamedDevices} more" : "";
        return $"the kernel's vxlan devices {names}{more}";
    }

    private static Search FindProcess(ulong inode, out string process)
    {
        process = "";
        if (inode == 0)
            return Search.NoProcess;
        string descriptor = string.Create(CultureInfo.InvariantCulture, $"socket:[{inode}]");
        var worst = Search.NoProcess;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            string pid = Path.GetFileName(directory);
            if (!pid.All(char.IsAsciiDigit))
                continue;
            Search found = LookInto(directory, descriptor);
            if (found == Search.Found)
            {
                process = $"process {pid} ({CommandOf(directory)})";
                return found;
            }

            worst = found == Search.SomeHidden ? found : worst;
        }

        return worst;
    }

    private static Search LookInto(string processDirectory, string descriptor)
    {
        try
        {
            bool has = new DirectoryInfo($"{processDirectory}/fd").EnumerateFileSystemInfos().Any(fd => fd.LinkTarget == descriptor);
            return has ? Search.Found : Search.NoProcess;
        }
        catch (UnauthorizedAccessException)
        {
            return Search.SomeHidden;
        }
        catch (IOException)
        {
            // The process ended while we looked: it holds nothing any more.
            return Search.NoProcess;
        }
    }

    private static string CommandOf(string processDirectory)
    {
        try
        {
            return File.ReadAllText($"{processDirectory}/comm").TrimEnd();
        }
        catch (IOException)
        {
            return "ended by now";
        }
    }
}
