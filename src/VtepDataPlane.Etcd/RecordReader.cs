// The values of our records, strictly: one JSON object, at most four deep, with the members written here and no others, each once.
//
//   Vtep      v 1; vtep: one or two of {ip, port}, each family once.   May have: name, mac, mtu, instance (none: written by hand)
//   Flood     flood "ingress"
//   Mac       seq, sticky
//   Neighbor  mac, seq, router
//   Prefix    May have: rmac
//
// Why so strict: what one VTEP takes and another doesn't is worse than what none takes. A member that is new some day gets a new v.
// Errors inside are WrongValueException with a part of a sentence, caught in one place.

using System.Text.Json;
using System.Text.Unicode;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Reads one value.</summary>
internal ref struct RecordReader
{
    /// <summary>The version of the values we know.</summary>
    public const int Version = 1;

    private const int MaxDepth = 4;
    private const int MaxName = 253;
    private const int MinMtu = 68;

    // those that must be there first
    private static readonly string[] s_vtep = ["v", "vtep", "name", "mac", "mtu", "instance"];
    private static readonly string[] s_endpoint = ["ip", "port"];
    private static readonly string[] s_flood = ["flood"];
    private static readonly string[] s_mac = ["seq", "sticky"];
    private static readonly string[] s_neighbor = ["mac", "seq", "router"];
    private static readonly string[] s_prefix = ["rmac"];

    private readonly RecordKey _key;
    private Utf8JsonReader _json;

    private RecordReader(RecordKey key, ReadOnlySpan<byte> value)
    {
        _key = key;
        _json = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>Reads the value of a key. Null, or why it can't be.</summary>
    public static KeyProblem? Read(RecordKey key, ReadOnlySpan<byte> value, out DirectoryRecord? record)
    {
        record = null;
        if (!Utf8.IsValid(value))
            return new KeyProblem(RejectReason.ValueMalformed, "it isn't UTF-8");
        try
        {
            return new RecordReader(key, value).ReadAll(out record);
        }
        catch (WrongValueException problem)
        {
            return new KeyProblem(problem.Reason, problem.Message);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // the framework's words hold parts of the value and positions in it: ours are fit to be shown
            return new KeyProblem(RejectReason.ValueMalformed, $"it isn't a JSON object at most {MaxDepth} deep");
        }
    }

    private KeyProblem? ReadAll(out DirectoryRecord? record)
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
            throw new WrongValueException("it isn't a JSON object");
        record = _key.Kind switch
        {
            RecordKind.Vtep => ReadVtep(),
            RecordKind.Flood => ReadFlood(),
            RecordKind.Mac => ReadMac(),
            RecordKind.Neighbor => ReadNeighbor(),
            _ => ReadPrefix(),
        };
        _json.Read(); // throws when something follows
        return null;
    }

    private VtepRecord ReadVtep()
    {
        var seen = new Members(s_vtep);
        var record = new VtepRecord(_key.Owner, default, default);
        while (Next(ref seen) is >= 0 and int member)
        {
            record = member switch
            {
                0 => CheckVersion(record),
                1 => ReadEndpoints(record),
                2 => record with { Name = ReadName() },
                3 => record with { Mac = ReadStation("mac") },
                4 => record with { Mtu = (int)ReadNumber("mtu", MinMtu, ushort.MaxValue) },
                _ => record with { Instance = ReadInstance() },
            };
        }

        seen.Require(2);
        return record;
    }

    private VtepRecord CheckVersion(VtepRecord record)
    {
        uint version = ReadNumber("v", 0, uint.MaxValue);
        return version == Version ? record : throw new WrongValueException($"its version is {version}; this VTEP knows {Version}");
    }

    private VtepRecord ReadEndpoints(VtepRecord record)
    {
        if (_json.TokenType != JsonTokenType.StartArray)
            throw new WrongValueException("'vtep' must be an array of objects with ip and port");
        for (_json.Read(); _json.TokenType != JsonTokenType.EndArray; _json.Read())
        {
            VtepEndpoint endpoint = ReadEndpoint();
            if (!record.EndpointFor(endpoint.Address.Version).Address.IsNone)
                throw new WrongValueException("'vtep' has two addresses of one family");
            record = endpoint.Address.IsIPv4 ? record with { IPv4 = endpoint } : record with { IPv6 = endpoint };
        }

        return record.IPv4.Address.IsNone && record.IPv6.Address.IsNone ? throw new WrongValueException("'vtep' has no address") : record;
    }

    private VtepEndpoint ReadEndpoint()
    {
        if (_json.TokenType != JsonTokenType.StartObject)
            throw new WrongValueException("'vtep' must be an array of objects with ip and port");
        var seen = new Members(s_endpoint);
        var endpoint = default(VtepEndpoint);
        while (Next(ref seen) is >= 0 and int member)
            endpoint = member == 0 ? endpoint with { Address = ReadAddress() } : endpoint with { Port = (ushort)ReadNumber("port", 1, ushort.MaxValue) };
        seen.Require(2);
        return endpoint;
    }

    private FloodRecord ReadFlood()
    {
        var seen = new Members(s_flood);
        while (Next(ref seen) >= 0)
        {
            if (_json.TokenType != JsonTokenType.String || !_json.ValueTextEquals("ingress"u8))
                throw new WrongValueException("'flood' must be \"ingress\"");
        }

        seen.Require(1);
        return new FloodRecord(_key.Owner, _key.Vni);
    }

    private MacRecord ReadMac()
    {
        var seen = new Members(s_mac);
        uint sequence = 0;
        bool sticky = false;
        while (Next(ref seen) is >= 0 and int member)
        {
            if (member == 0)
                sequence = ReadNumber("seq", 0, uint.MaxValue);
            else
                sticky = ReadFlag("sticky");
        }

        seen.Require(2);
        return new MacRecord(_key.Owner, _key.Vni, _key.Mac, sequence, sticky);
    }

    private NeighborRecord ReadNeighbor()
    {
        var seen = new Members(s_neighbor);
        var record = new NeighborRecord(_key.Owner, _key.Vni, _key.Address, default);
        while (Next(ref seen) is >= 0 and int member)
        {
            record = member switch
            {
                0 => record with { Mac = ReadStation("mac") },
                1 => record with { Sequence = ReadNumber("seq", 0, uint.MaxValue) },
                _ => record with { IsRouter = ReadFlag("router") },
            };
        }

        seen.Require(3);
        return record;
    }

    private PrefixRecord ReadPrefix()
    {
        var seen = new Members(s_prefix);
        MacAddress router = default;
        while (Next(ref seen) >= 0)
            router = ReadStation("rmac");
        return new PrefixRecord(_key.Owner, _key.Vni, _key.Address, _key.PrefixLength, router);
    }

    // Goes on to the next member's value; -1 at the object's end.
    private int Next(ref Members seen)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
            return -1;
        int member = seen.IndexOf(ref _json);
        _json.Read();
        return member;
    }

    private uint ReadNumber(string member, uint least, uint most)
    {
        if (_json.TokenType == JsonTokenType.Number && _json.TryGetUInt32(out uint value) && value >= least && value <= most)
            return value;
        throw new WrongValueException($"'{member}' must be a whole number from {least} to {most}");
    }

    private bool ReadFlag(string member)
    {
        if (_json.TokenType is JsonTokenType.True or JsonTokenType.False)
            return _json.GetBoolean();
        throw new WrongValueException($"'{member}' must be true or false");
    }

    private MacAddress ReadStation(string member)
    {
        if (!EtcdLayout.TryReadMac(Text(member), out MacAddress mac))
            throw new WrongValueException($"'{member}' must be six pairs of lower-case hex digits with colons, such as 02:00:5e:10:00:01");
        return mac.IsValidSource ? mac : throw new WrongValueException($"'{member}' is zero or a group address", RejectReason.MacInvalid);
    }

    private InetAddress ReadAddress()
    {
        if (!EtcdLayout.TryReadAddress(Text("ip"), out InetAddress address))
            throw new WrongValueException("'ip' must be an address as RFC 5952 says, such as 198.18.0.1 or 2001:db8::1");
        return address.IsUnicast && !address.IsLoopback
            ? address : throw new WrongValueException("'ip' is unspecified, loopback, multicast or broadcast", RejectReason.AddressInvalid);
    }

    private string ReadName()
    {
        string name = Text("name");
        return name.Length is > 0 and <= MaxName ? name : throw new WrongValueException($"'name' must have 1 to {MaxName} characters");
    }

    private Guid ReadInstance()
    {
        string text = Text("instance");
        bool ok = Guid.TryParseExact(text, "D", out Guid instance) && instance != Guid.Empty && instance.ToString("D") == text;
        return ok ? instance : throw new WrongValueException("'instance' must be a UUID in lower case");
    }

    private string Text(string member) =>
        _json.TokenType == JsonTokenType.String ? _json.GetString()! : throw new WrongValueException($"'{member}' must be a string");
}
