// The keys of our records in etcd. Two trees under one prefix, the node first in both, so that a role of etcd's own can be given to each
// node and a claim can't be forged:
//
//   <prefix>/n/<node>/self                   where the node's VTEP is
//   <prefix>/n/<node>/vni/<vni>              it wants what is flooded in the domain
//   <prefix>/s/<node>/mac/<vni>/<mac>        a station is behind it
//   <prefix>/s/<node>/ip/<vni>/<ip>          an address is behind it
//   <prefix>/s/<node>/route/<vrf>/<ip>-<n>   it routes a prefix
//
// Each record has exactly one key: MACs are lower case with colons, addresses as RFC 5952 wants them, numbers without leading zeros. Any other
// spelling is refused; two keys for one record would overwrite each other here and be two there.
//
// Owners are kept once: 100,000 records of 4,096 nodes hold 4,096 strings. Any thread.

using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Keys and the records they stand for, under one prefix.</summary>
internal sealed class EtcdLayout
{
    /// <summary>Characters of a node's id.</summary>
    public const int MaxOwnerLength = 64;

    // s/<64>/route/16777215/<45>-128 and room for what is merely wrong
    private const int MaxTail = 192;
    private const int MaxOwners = 65_536;
    private const int MaxParts = 6;

    private readonly byte[] _root;
    private readonly ConcurrentDictionary<string, string> _owners = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _ownersBySpan;

    /// <summary>The layout under a prefix: an absolute path without a slash at its end.</summary>
    public EtcdLayout(string prefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        Prefix = prefix;
        _root = Encoding.UTF8.GetBytes(prefix + "/");
        _ownersBySpan = _owners.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>What all keys begin with.</summary>
    public string Prefix { get; }

    /// <summary>All our keys.</summary>
    public KeyRange All => KeyRange.Of($"{Prefix}/");

    /// <summary>The tree of nodes: Vtep and Flood records.</summary>
    public KeyRange Nodes => KeyRange.Of($"{Prefix}/n/");

    /// <summary>The tree of stations: Mac, Neighbor and Prefix records.</summary>
    public KeyRange Stations => KeyRange.Of($"{Prefix}/s/");

    /// <summary>A node's part of the tree of nodes.</summary>
    public KeyRange NodesOf(string node) => KeyRange.Of($"{Prefix}/n/{node}/");

    /// <summary>A node's part of the tree of stations.</summary>
    public KeyRange StationsOf(string node) => KeyRange.Of($"{Prefix}/s/{node}/");

    /// <summary>1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public static bool IsOwner(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
                return false;
        }

        return text.Length is > 0 and <= MaxOwnerLength;
    }

    /// <summary>A record's key as text.</summary>
    public string Name(RecordKey key) => key.Kind switch
    {
        RecordKind.Vtep => $"{Prefix}/n/{key.Owner}/self",
        RecordKind.Flood => $"{Prefix}/n/{key.Owner}/vni/{key.Vni}",
        RecordKind.Mac => $"{Prefix}/s/{key.Owner}/mac/{key.Vni}/{key.Mac}",
        RecordKind.Neighbor => $"{Prefix}/s/{key.Owner}/ip/{key.Vni}/{key.Address}",
        _ => $"{Prefix}/s/{key.Owner}/route/{key.Vni}/{key.Address}-{key.PrefixLength}",
    };

    /// <summary>A record's key.</summary>
    public byte[] Key(RecordKey key) => Encoding.UTF8.GetBytes(Name(key));

    /// <summary>The record a key stands for; null: none.</summary>
    public RecordKey? KeyOf(ReadOnlySpan<byte> key) => Read(key, out RecordKey record) is null ? record : null;

    /// <summary>Reads a key. Null, or why it is none of ours.</summary>
    public KeyProblem? Read(ReadOnlySpan<byte> key, out RecordKey record)
    {
        record = default;
        if (!key.StartsWith(_root))
            return Unknown("it is outside our prefix");
        Span<char> text = stackalloc char[MaxTail];
        ReadOnlySpan<byte> tail = key[_root.Length..];
        if (tail.Length > MaxTail || !Ascii.IsValid(tail))
            return Unknown("no key of ours is that long or has characters like these");
        Ascii.ToUtf16(tail, text, out int length);
        Span<Range> parts = stackalloc Range[MaxParts];
        ReadOnlySpan<char> path = text[..length];
        return Read(path, parts[..path.Split(parts, '/')], out record);
    }

    private KeyProblem? Read(ReadOnlySpan<char> path, ReadOnlySpan<Range> parts, out RecordKey record)
    {
        record = default;
        if (parts.Length < 3 || path[parts[0]] is not ("n" or "s"))
            return Unknown("under our prefix are n/<node>/... and s/<node>/...");
        if (!IsOwner(path[parts[1]]))
            return new KeyProblem(RejectReason.OwnerInvalid, "a node's id is 1 to 64 letters, digits, dots, hyphens and underscores");
        string owner = Intern(path[parts[1]]);
        bool isNode = path[parts[0]] is "n";
        return path[parts[2]] switch
        {
            "self" when isNode && parts.Length == 3 => Vtep(owner, out record),
            "vni" when isNode && parts.Length == 4 => Flood(owner, path[parts[3]], out record),
            "mac" when !isNode && parts.Length == 5 => Mac(owner, path[parts[3]], path[parts[4]], out record),
            "ip" when !isNode && parts.Length == 5 => Neighbor(owner, path[parts[3]], path[parts[4]], out record),
            "route" when !isNode && parts.Length == 5 => Prefixed(owner, path[parts[3]], path[parts[4]], out record),
            _ => Unknown("a node has self and vni/<vni> under n, mac/<vni>/<mac>, ip/<vni>/<ip> and route/<vrf>/<ip>-<n> under s"),
        };
    }

    private static KeyProblem? Vtep(string owner, out RecordKey record)
    {
        record = new RecordKey(RecordKind.Vtep, owner);
        return null;
    }

    private static KeyProblem? Flood(string owner, ReadOnlySpan<char> vniText, out RecordKey record)
    {
        bool ok = TryReadVni(vniText, out Vni vni);
        record = new RecordKey(RecordKind.Flood, owner, vni);
        return ok ? null : NoVni();
    }

    private static KeyProblem? Mac(string owner, ReadOnlySpan<char> vniText, ReadOnlySpan<char> macText, out RecordKey record)
    {
        record = default;
        if (!TryReadVni(vniText, out Vni vni))
            return NoVni();
        if (!TryReadMac(macText, out MacAddress mac))
            return Unknown("the MAC must be six pairs of lower-case hex digits with colons, such as 02:00:5e:10:00:01");
        record = new RecordKey(RecordKind.Mac, owner, vni, mac);
        return mac.IsValidSource ? null : new KeyProblem(RejectReason.MacInvalid, "no station has a MAC that is zero or a group address");
    }

    private static KeyProblem? Neighbor(string owner, ReadOnlySpan<char> vniText, ReadOnlySpan<char> addressText, out RecordKey record)
    {
        record = default;
        if (!TryReadVni(vniText, out Vni vni))
            return NoVni();
        if (!TryReadAddress(addressText, out InetAddress address))
            return Unknown("the address must be written as RFC 5952 says, such as 10.0.0.1 or 2001:db8::1");
        record = new RecordKey(RecordKind.Neighbor, owner, vni, default, address);
        return address.IsUnicast && !address.IsLoopback
            ? null : new KeyProblem(RejectReason.AddressInvalid, "no station has an address that is unspecified, loopback, multicast or broadcast");
    }

    private static KeyProblem? Prefixed(string owner, ReadOnlySpan<char> vrfText, ReadOnlySpan<char> prefixText, out RecordKey record)
    {
        record = default;
        if (!TryReadVni(vrfText, out Vni vrf))
            return NoVni();
        int dash = prefixText.LastIndexOf('-');
        if (dash < 0 || !TryReadNumber(prefixText[(dash + 1)..], 128, out int length) || !TryReadAddress(prefixText[..dash], out InetAddress network)
            || length > network.Size * 8 || InetPrefix.Of(network, (byte)length).Network != network)
            return Unknown("the prefix must be its address, host bits zero, a hyphen and its length, such as 10.0.0.0-24");
        record = new RecordKey(RecordKind.Prefix, owner, vrf, default, network, (byte)length);
        return network.IsMulticast || network.IsLoopback
            ? new KeyProblem(RejectReason.AddressInvalid, "a loopback or multicast prefix isn't routed") : null;
    }

    private static bool TryReadVni(ReadOnlySpan<char> text, out Vni vni)
    {
        bool ok = TryReadNumber(text, Vni.MaxValue, out int value);
        vni = new Vni(value);
        return ok;
    }

    private static bool TryReadNumber(ReadOnlySpan<char> text, int most, out int value)
    {
        value = 0;
        bool isPlain = text.Length is > 0 and <= 9 && !text.ContainsAnyExceptInRange('0', '9') && (text[0] != '0' || text.Length == 1);
        if (isPlain && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= most)
            return true;
        value = 0;
        return false;
    }

    /// <summary>Six pairs of lower-case hex digits with colons.</summary>
    public static bool TryReadMac(ReadOnlySpan<char> text, out MacAddress mac)
    {
        mac = default;
        return !text.ContainsAny('-', '\0') && !text.ContainsAnyInRange('A', 'F') && MacAddress.TryParse(text, out mac);
    }

    /// <summary>An address in the one spelling we write it in.</summary>
    public static bool TryReadAddress(ReadOnlySpan<char> text, out InetAddress address)
    {
        address = default;
        return text.Length <= 45 && InetAddress.TryParse(text.ToString(), out address) && text.SequenceEqual(address.ToString());
    }

    private static KeyProblem NoVni() => Unknown("the VNI must be a number from 0 to 16777215 without leading zeros");

    private static KeyProblem Unknown(string sentence) => new(RejectReason.KeyUnknown, sentence);

    // Junk must not make us remember it: beyond the bound, owners are strings of their own.
    private string Intern(ReadOnlySpan<char> owner)
    {
        if (_ownersBySpan.TryGetValue(owner, out string? known))
            return known;
        string made = owner.ToString();
        return _owners.Count < MaxOwners ? _owners.GetOrAdd(made, made) : made;
    }
}
