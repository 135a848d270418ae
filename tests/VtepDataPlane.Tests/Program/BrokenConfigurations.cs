// Broken configurations, each with everything the loader says of it, word for word: "line:column: $.path: what; what instead".
// Fragments stand on line 2 of the files they are put into.

using NUnit.Framework;

namespace VtepDataPlane.Tests.Program;

internal static class BrokenConfigurations
{
    public static IEnumerable<TestCaseData> All() => [.. Files(), .. Underlays(), .. Domains(), .. Ports(), .. Discoveries(), .. Settings(), .. BrokenControllers.All()];

    private static IEnumerable<TestCaseData> Files()
    {
        yield return Case("EmptyFile", "",
            """1:1: the file is empty; write at least { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""");
        yield return Case("NotAnObject", """[]""",
            """1:1: $: must be an object, not a list; write { "workers": ... }""");
        yield return Case("CutOff", """{ "underlay": {""",
            "1:16: this is no JSON: Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that should be closed");
        yield return Case("MissingComma", """
            { "workers": 1
              "underlay": {} }
            """,
            """2:3: this is no JSON: '"' is invalid after a value. Expected either ',', '}', or ']'""");
        yield return Case("TwoRoots", """{} {}""",
            "1:4: this is no JSON: '{' is invalid after a single JSON value. Expected end of data");
        yield return Case("TooDeep", """{ "a": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]] }""",
            "1:23: this is no JSON: The maximum configured depth of 16 has been exceeded. Cannot read next JSON array");
        yield return Case("EmptyObject", """{}""",
            """1:1: $: the key "underlay" is missing; add "underlay": { "local": "198.18.0.1" }""",
            """1:1: $: the key "bridgeDomains" is missing; add "bridgeDomains": [ ... ]""");
        yield return Case("WorkersOutOfRange", """{ "workers": 257, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:14: $.workers: 257 is out of range; it must be 0 to 256");
        yield return Case("WorkersNotWhole", """{ "workers": 1.5, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:14: $.workers: 1.5 is not a whole number; write 0 to 256, without point or exponent");
        yield return Case("WorkersAsText", """{ "workers": "4", "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:14: $.workers: must be a number, not a string; write 0 to 256");
        yield return Case("NumberBeyondAllBounds", """{ "workers": 123456789012345678901234567890, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:14: $.workers: 12345678901234567890... is out of range; it must be 0 to 256");
        yield return Case("FdbCapacityZero", """{ "fdb": { "capacity": 0 }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:24: $.fdb.capacity: 0 is out of range; it must be 1 to 67108864");
        yield return Case("ControlSocketRelative", """{ "control": { "socket": "vtep.sock" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:26: $.control.socket: 'vtep.sock' is no absolute path of a file; write it like /run/vtep/vtep.sock");
        yield return Case("ControlSocketTooLong", """{ "control": { "socket": "/sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:26: $.control.socket: the path has 108 bytes; a unix socket's path has at most 107");
        yield return Case("ControlHttp", """{ "control": { "http": "localhost:9478" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:24: $.control.http: 'localhost:9478' is no address and port to listen on; write it like 127.0.0.1:9478 or [::1]:9478, or null");
        yield return Case("DashboardWithoutAddress", """{ "control": { "dashboard": true }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            """1:29: $.control.dashboard: the dashboard has no address to be served at; write "http": "127.0.0.1:9478" beside it, or leave it out""");
        yield return Case("DashboardForEverybody", """{ "control": { "http": "198.18.0.1:9478", "dashboard": true }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:56: $.control.dashboard: the dashboard shows who is where to everybody who can connect, so it is for this machine only, and 198.18.0.1 is no loopback "
            + "address; write \"http\": \"127.0.0.1:9478\" (from elsewhere, 'ssh -L 9478:127.0.0.1:9478' leads there), or leave it out");
        yield return Case("ControlOtlp", """{ "control": { "otlp": "127.0.0.1:4317" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:24: $.control.otlp: '127.0.0.1:4317' is no collector; write http:// or https://, a host and a port, like http://127.0.0.1:4317, "
            + "with a path for OTLP over HTTP, like http://127.0.0.1:4318/v1/metrics, or null");
        yield return Case("SchemaIsNumber", """{ "$schema": 7, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [] }""",
            "1:14: $['$schema']: must be a string, not a number; write \"file:///usr/share/vtep/vtep.schema.json\"");
        yield return Case("UnderlayMissing", """{ "bridgeDomains": [] }""",
            """1:1: $: the key "underlay" is missing; add "underlay": { "local": "198.18.0.1" }""");
        yield return Case("PeersOfTwoFamiliesOnAnInterface", """
            { "underlay": { "interface": "eth0" }, "bridgeDomains": [ { "name": "a", "vni": 1, "discovery":
              { "static": { "peers": [ "198.18.0.2", "fd00::2" ] } } } ] }
            """,
            "2:42: $.bridgeDomains[0].discovery.static.peers[1]: fd00::2 is IPv6, but 198.18.0.2 ($.bridgeDomains[0].discovery.static.peers[0]) is IPv4; the underlay has one address family");
    }

    private static IEnumerable<TestCaseData> Underlays()
    {
        yield return Case("UnknownKeyFarFromAny", Underlay("""{ "local": "198.18.0.1", "colour": "red" }"""),
            "2:40: $.underlay.colour: unknown key 'colour'; the keys here are \"local\", \"interface\", \"port\", \"udpChecksum\", \"acceptZeroChecksumIPv6\", \"learnedPeerLimit\", \"learnedPeerAgeing\"");
        yield return Case("UnknownKeyNearOne", Underlay("""{ "locl": "198.18.0.1" }"""),
            """2:17: $.underlay.locl: unknown key 'locl'; did you mean "local"?""");
        yield return Case("UnknownKeyInOtherCase", Underlay("""{ "Local": "198.18.0.1" }"""),
            """2:17: $.underlay.Local: unknown key 'Local'; did you mean "local"?""");
        yield return Case("DuplicateKey", Underlay("""{ "local": "198.18.0.1", "local": "198.18.0.2" }"""),
            """2:40: $.underlay.local: the key "local" is there twice; remove one""");
        yield return Case("KeyWithControlCharacters", Underlay("""{ "local": "198.18.0.1", "\u001b[31m": 1 }"""),
            "2:40: $.underlay['\\u001b[31m']: unknown key '\\u001b[31m'; the keys here are \"local\", \"interface\", \"port\", \"udpChecksum\", \"acceptZeroChecksumIPv6\", \"learnedPeerLimit\", \"learnedPeerAgeing\"");
        yield return Case("UnderlayIsText", Underlay(""" "198.18.0.1" """),
            """2:16: $.underlay: must be an object, not a string; write { "local": ... }""");
        yield return Case("UnderlayWithoutAddress", Underlay("""{}"""),
            """2:15: $.underlay: exactly one of "local" and "interface" must be there; give this host's address or the interface that has it""");
        yield return Case("UnderlayWithAddressAndInterface", Underlay("""{ "local": "198.18.0.1", "interface": "eth0" }"""),
            """2:15: $.underlay: exactly one of "local" and "interface" must be there; give this host's address or the interface that has it""");
        yield return Case("UnderlayInterfaceIllegal", Underlay("""{ "interface": "eth 0" }"""),
            "2:30: $.underlay.interface: 'eth 0' is no interface name; leave out spaces, '/', ':' and '%'");
        yield return Case("UnderlayIsAPort", """
            { "underlay": { "interface": "t" }, "bridgeDomains": [ { "name": "a", "vni": 1, "ports": [ { "tap": "t" } ], "discovery":
              { "multicast": { "group": "239.1.1.1", "interface": "t" } } } ] }
            """,
            "1:30: $.underlay.interface: 't' is a port of this VTEP; name the interface that leads to the other VTEPs",
            "2:55: $.bridgeDomains[0].discovery.multicast.interface: 't' is a port of this VTEP; name the interface that leads to the other VTEPs");
        yield return Case("LocalIsNoAddress", Underlay("""{ "local": "198.18.0" }"""),
            "2:26: $.underlay.local: '198.18.0' is no IPv4 or IPv6 address; write it like 198.18.0.1");
        yield return Case("LocalIsMulticast", Underlay("""{ "local": "239.1.1.1" }"""),
            "2:26: $.underlay.local: 239.1.1.1 is not a host's address; give a unicast address, like 198.18.0.1");
        yield return Case("LocalIsUnspecified", Underlay("""{ "local": "::" }"""),
            "2:26: $.underlay.local: :: is not a host's address; give a unicast address, like 198.18.0.1");
        yield return Case("LocalIsLinkLocal", Underlay("""{ "local": "fe80::1" }"""),
            "2:26: $.underlay.local: fe80::1 is link-local and means nothing without an interface; use a global or unique local address");
        yield return Case("PortZero", Underlay("""{ "local": "198.18.0.1", "port": 0 }"""),
            "2:48: $.underlay.port: 0 is out of range; it must be 1 to 65535");
        yield return Case("UdpChecksumIsNumber", Underlay("""{ "local": "198.18.0.1", "udpChecksum": 1 }"""),
            "2:55: $.underlay.udpChecksum: must be true or false, not a number");
        yield return Case("LearnedPeerAgeingZero", Underlay("""{ "local": "198.18.0.1", "learnedPeerAgeing": 0 }"""),
            "2:61: $.underlay.learnedPeerAgeing: 0 is out of range; it must be 1 to 31536000");
    }

    private static IEnumerable<TestCaseData> Domains()
    {
        yield return Case("DomainIsNumber", InDomains("""7"""),
            """2:3: $.bridgeDomains[0]: must be an object, not a number; write { "name": ... }""");
        yield return Case("DomainIsEmpty", InDomains("""{}"""),
            "2:3: $.bridgeDomains[0]: the key \"name\" is missing; add \"name\": \"blue\"",
            """2:3: $.bridgeDomains[0]: the key "vni" is missing; add "vni": 100""",
            """2:3: $.bridgeDomains[0]: the key "discovery" is missing; add "discovery": { "static": { "peers": [ "198.18.0.2" ] } }""");
        yield return Case("NameEmpty", InDomains("""{ "name": "", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }"""),
            "2:13: $.bridgeDomains[0].name: the name is empty; give the domain a name");
        yield return Case("NameNotPrintable", InDomains("""{ "name": "a\u202eb", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }"""),
            "2:13: $.bridgeDomains[0].name: 'a\\u202eb' has characters that can't be printed; leave them out");
        yield return Case("NameIsNumber", InDomains("""{ "name": 7, "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }"""),
            "2:13: $.bridgeDomains[0].name: must be a string, not a number; write \"blue\"");
        yield return Case("VniTooLarge", InDomains("""{ "name": "a", "vni": 16777216, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }"""),
            "2:25: $.bridgeDomains[0].vni: 16777216 is out of range; it must be 0 to 16777215");
        yield return Case("VniNegative", InDomains("""{ "name": "a", "vni": -1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }"""),
            "2:25: $.bridgeDomains[0].vni: -1 is out of range; it must be 0 to 16777215");
        yield return Case("VniTwice", InDomains("""
            { "name": "a", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } },
              { "name": "b", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }
            """),
            "3:25: $.bridgeDomains[1].vni: the VNI 1 is already at $.bridgeDomains[0].vni; each may be there once");
        yield return Case("DomainNameTwice", InDomains("""
            { "name": "a", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } },
              { "name": "a", "vni": 2, "discovery": { "static": { "peers": [ "198.18.0.2" ] } } }
            """),
            "3:13: $.bridgeDomains[1].name: the name 'a' is already at $.bridgeDomains[0].name; each may be there once");
        yield return Case("TapTwiceInTwoDomains", InDomains("""
            { "name": "a", "vni": 1, "discovery": { "static": { "peers": [ "198.18.0.2" ] } }, "ports": [ { "tap": "t" } ] },
              { "name": "b", "vni": 2, "discovery": { "static": { "peers": [ "198.18.0.2" ] } }, "ports": [ { "tap": "t" } ] }
            """),
            "3:106: $.bridgeDomains[1].ports[0].tap: the TAP device 't' is already at $.bridgeDomains[0].ports[0].tap; each may be there once");
        yield return Case("DiscoveryMissing", InDomains("""{ "name": "a", "vni": 1 }"""),
            """2:3: $.bridgeDomains[0]: the key "discovery" is missing; add "discovery": { "static": { "peers": [ "198.18.0.2" ] } }""");
    }

    private static IEnumerable<TestCaseData> Ports()
    {
        yield return Case("TapTwiceInOneDomain", InPorts("""{ "tap": "t" }, { "tap": "t" }"""),
            "2:28: $.bridgeDomains[0].ports[1].tap: the TAP device 't' is already at $.bridgeDomains[0].ports[0].tap; each may be there once");
        yield return Case("TapTooLong", InPorts("""{ "tap": "a-name-of-16-byt" }"""),
            "2:12: $.bridgeDomains[0].ports[0].tap: 'a-name-of-16-byt' has 16 bytes; an interface's name has at most 15");
        yield return Case("TapTooLongInBytes", InPorts("""{ "tap": "ääääääää" }"""),
            "2:12: $.bridgeDomains[0].ports[0].tap: 'ääääääää' has 16 bytes; an interface's name has at most 15");
        yield return Case("TapWithSlash", InPorts("""{ "tap": "a/b" }"""),
            "2:12: $.bridgeDomains[0].ports[0].tap: 'a/b' is no interface name; leave out spaces, '/', ':' and '%'");
        yield return Case("TapIsPattern", InPorts("""{ "tap": "tap%d" }"""),
            "2:12: $.bridgeDomains[0].ports[0].tap: 'tap%d' is no interface name; leave out spaces, '/', ':' and '%'");
        yield return Case("TapEmpty", InPorts("""{ "tap": "" }"""),
            "2:12: $.bridgeDomains[0].ports[0].tap: an interface's name is empty; give it 1 to 15 characters");
        yield return Case("TapMissing", InPorts("""{}"""),
            "2:3: $.bridgeDomains[0].ports[0]: the key \"tap\" is missing; add \"tap\": \"tap-blue\"");
        yield return Case("MtuTooSmall", InPorts("""{ "tap": "t", "mtu": 67 }"""),
            "2:24: $.bridgeDomains[0].ports[0].mtu: 67 is out of range; it must be 68 to 65505");
        yield return Case("MtuDoesNotFitIntoADatagram", InPorts("""{ "tap": "t", "mtu": 65486 }"""),
            "2:24: $.bridgeDomains[0].ports[0].mtu: the MTU 65486 is out of range; it must be 68 to 65485");
        yield return Case("MtuTooSmallForIPv6", InPorts("""{ "tap": "t", "mtu": 1279, "addresses": [ "fd00:19::1/64" ] }"""),
            "2:24: $.bridgeDomains[0].ports[0].mtu: the MTU 1279 is too small for the port's IPv6 addresses; IPv6 needs 1280 or more");
        yield return Case("MacTooShort", InPorts("""{ "tap": "t", "mac": "02:00:5e:10:00" }"""),
            "2:24: $.bridgeDomains[0].ports[0].mac: '02:00:5e:10:00' is no MAC address; write six hex pairs, like 02:00:5e:10:00:01");
        yield return Case("MacIsGroup", InPorts("""{ "tap": "t", "mac": "01:00:5e:00:00:01" }"""),
            "2:24: $.bridgeDomains[0].ports[0].mac: 01:00:5e:00:00:01 can't be a device's own address; use a unicast one, like 02:00:5e:10:00:01");
        yield return Case("BridgeIsThePort", InPorts("""{ "tap": "t", "bridge": "t" }"""),
            "2:27: $.bridgeDomains[0].ports[0].bridge: 't' is the port itself; name a Linux bridge");
        yield return Case("BridgeIllegal", InPorts("""{ "tap": "t", "bridge": "." }"""),
            "2:27: $.bridgeDomains[0].ports[0].bridge: '.' is no interface name; leave out spaces, '/', ':' and '%'");
        yield return Case("AddressWithoutPrefix", InPorts("""{ "tap": "t", "addresses": [ "198.19.0.1" ] }"""),
            "2:32: $.bridgeDomains[0].ports[0].addresses[0]: '198.19.0.1' is no address with a prefix length; write it like 198.19.0.1/24 or fd00:19::1/64");
        yield return Case("AddressWithLongPrefix", InPorts("""{ "tap": "t", "addresses": [ "198.19.0.1/33" ] }"""),
            "2:32: $.bridgeDomains[0].ports[0].addresses[0]: the prefix length 33 is out of range; it must be 0 to 32");
        yield return Case("AddressTwice", InPorts("""{ "tap": "t", "addresses": [ "198.19.0.1/24", "198.19.0.1/16" ] }"""),
            "2:49: $.bridgeDomains[0].ports[0].addresses[1]: the address 198.19.0.1 is there twice; remove one");
        yield return Case("AddressTwiceInOneDomain", InPorts("""{ "tap": "t", "addresses": [ "198.19.0.1/24" ] }, { "tap": "u", "addresses": [ "198.19.0.1/24" ] }"""),
            "2:82: $.bridgeDomains[0].ports[1].addresses[0]: the address 198.19.0.1 in this domain is already at $.bridgeDomains[0].ports[0].addresses[0]; each may be there once");
        yield return Case("AddressIsTheUnderlays", InPorts("""{ "tap": "t", "addresses": [ "198.18.0.1/24" ] }"""),
            "2:32: $.bridgeDomains[0].ports[0].addresses[0]: 198.18.0.1 is this VTEP's own address on the underlay; give the port another one");
        yield return Case("MacTwiceInOneDomain", InPorts("""{ "tap": "t", "mac": "02:00:5e:10:00:01" }, { "tap": "u", "mac": "02:00:5e:10:00:01" }"""),
            "2:68: $.bridgeDomains[0].ports[1].mac: the MAC 02:00:5e:10:00:01 in this domain is already at $.bridgeDomains[0].ports[0].mac; each may be there once");
        yield return Case("BridgeIsAnotherPort", InPorts("""{ "tap": "t", "bridge": "u" }, { "tap": "u" }"""),
            "2:27: $.bridgeDomains[0].ports[0].bridge: 'u' is another port of this VTEP; name a Linux bridge");
        yield return Case("AddressesAsText", InPorts("""{ "tap": "t", "addresses": "198.19.0.1/24" }"""),
            """2:30: $.bridgeDomains[0].ports[0].addresses: must be a list, not a string; write [ "198.19.0.1/24" ]""");
    }

    private static IEnumerable<TestCaseData> Discoveries()
    {
        yield return Case("DiscoveryEmpty", InDiscovery("""{}"""),
            "2:3: $.bridgeDomains[0].discovery: exactly one kind of discovery must be there; write \"static\", \"multicast\" or \"controller\"");
        yield return Case("DiscoveryOfTwoKinds", InDiscovery("""{ "static": { "peers": [] }, "multicast": { "group": "239.1.1.1", "interface": "eth0" } }"""),
            "2:3: $.bridgeDomains[0].discovery: exactly one kind of discovery must be there; write \"static\", \"multicast\" or \"controller\"");
        yield return Case("DiscoveryMisspelt", InDiscovery("""{ "statik": { "peers": [] } }"""),
            """2:5: $.bridgeDomains[0].discovery.statik: unknown key 'statik'; did you mean "static"?""");
        yield return Case("DiscoveryByUnknownController", InDiscovery("""{ "controller": { "name": "main", "mode": "watch" } }"""),
            "2:29: $.bridgeDomains[0].discovery.controller.name: there is no controller 'main'; describe it in \"controllers\"");
        yield return Case("DiscoveryByControllerOfUnknownMode", InDiscovery("""{ "controller": { "mode": "ask", "lookupTimeout": 9 } }"""),
            "2:19: $.bridgeDomains[0].discovery.controller: the key \"name\" is missing; add \"name\": \"main\"",
            "2:29: $.bridgeDomains[0].discovery.controller.mode: 'ask' is not known here; write \"watch\" or \"lookup\"",
            "2:53: $.bridgeDomains[0].discovery.controller.lookupTimeout: 9 is out of range; it must be 10 to 5000");
        yield return Case("PeersMissing", InDiscovery("""{ "static": {} }"""),
            """2:15: $.bridgeDomains[0].discovery.static: the key "peers" is missing; add "peers": [ "198.18.0.2" ]""");
        yield return Case("PeerIsNoAddress", InDiscovery("""{ "static": { "peers": [ "host-2" ] } }"""),
            "2:28: $.bridgeDomains[0].discovery.static.peers[0]: 'host-2' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472");
        yield return Case("PeerWithBadPort", InDiscovery("""{ "static": { "peers": [ "198.18.0.2:0", "198.18.0.2:65536", "[fd00::2]:x" ] } }"""),
            "2:28: $.bridgeDomains[0].discovery.static.peers[0]: '198.18.0.2:0' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472",
            "2:44: $.bridgeDomains[0].discovery.static.peers[1]: '198.18.0.2:65536' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472",
            "2:64: $.bridgeDomains[0].discovery.static.peers[2]: '[fd00::2]:x' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472");
        yield return Case("PeerIsOurselves", InDiscovery("""{ "static": { "peers": [ "198.18.0.1" ] } }"""),
            "2:28: $.bridgeDomains[0].discovery.static.peers[0]: 198.18.0.1 is this VTEP's own address; list the other ones only");
        yield return Case("PeerTwice", InDiscovery("""{ "static": { "peers": [ "198.18.0.2", "198.18.0.2:8472" ] } }"""),
            "2:42: $.bridgeDomains[0].discovery.static.peers[1]: the peer 198.18.0.2 is already at $.bridgeDomains[0].discovery.static.peers[0]; each may be there once");
        yield return Case("PeerOfOtherFamily", InDiscovery("""{ "static": { "peers": [ "fd00::2" ] } }"""),
            "2:28: $.bridgeDomains[0].discovery.static.peers[0]: fd00::2 is IPv6, but 198.18.0.1 ($.underlay.local) is IPv4; the underlay has one address family");
        yield return Case("PeerIsMulticast", InDiscovery("""{ "static": { "peers": [ "239.1.1.1" ] } }"""),
            "2:28: $.bridgeDomains[0].discovery.static.peers[0]: 239.1.1.1 is not a host's address; give a unicast address, like 198.18.0.1");
        yield return Case("GroupIsUnicast", InDiscovery("""{ "multicast": { "group": "198.18.0.9", "interface": "eth0" } }"""),
            "2:29: $.bridgeDomains[0].discovery.multicast.group: 198.18.0.9 is no multicast group; use one of 224.0.0.0/4, like 239.1.1.200, or of ff00::/8");
        yield return Case("GroupWithoutInterface", InDiscovery("""{ "multicast": { "group": "239.1.1.1" } }"""),
            "2:18: $.bridgeDomains[0].discovery.multicast: the key \"interface\" is missing; add \"interface\": \"eth0\"");
        yield return Case("GroupOfOtherFamily", InDiscovery("""{ "multicast": { "group": "ff05::1", "interface": "eth0" } }"""),
            "2:29: $.bridgeDomains[0].discovery.multicast.group: ff05::1 is IPv6, but 198.18.0.1 ($.underlay.local) is IPv4; the underlay has one address family");
        yield return Case("GroupTtlZero", InDiscovery("""{ "multicast": { "group": "239.1.1.1", "interface": "eth0", "ttl": 0 } }"""),
            "2:70: $.bridgeDomains[0].discovery.multicast.ttl: 0 is out of range; it must be 1 to 255");
        yield return Case("GroupAsNumber", InDiscovery("""{ "multicast": { "group": 239, "interface": "eth0" } }"""),
            "2:29: $.bridgeDomains[0].discovery.multicast.group: must be a string, not a number; write \"239.1.1.200\"");
    }

    private static IEnumerable<TestCaseData> Settings()
    {
        yield return Case("AgeingNegative", InDomain(""" "ageing": -1"""),
            "2:14: $.bridgeDomains[0].ageing: -1 is out of range; it must be 0 to 31536000");
        yield return Case("FdbLimitZero", InDomain(""" "fdbLimit": 0"""),
            "2:16: $.bridgeDomains[0].fdbLimit: 0 is out of range; it must be 1 to 67108864");
        yield return Case("LearningAsText", InDomain(""" "learning": "yes" """),
            "2:16: $.bridgeDomains[0].learning: must be true or false, not a string");
        yield return Case("TtlZero", InDomain(""" "ttl": 0"""),
            "2:11: $.bridgeDomains[0].ttl: 0 is out of range; it must be 1 to 255");
        yield return Case("TtlUnknownWord", InDomain(""" "ttl": "copy" """),
            "2:11: $.bridgeDomains[0].ttl: 'copy' is not known here; write 1 to 255 or \"inherit\"");
        yield return Case("DscpTooLarge", InDomain(""" "dscp": 64"""),
            "2:12: $.bridgeDomains[0].dscp: 64 is out of range; it must be 0 to 63");
        yield return Case("DfUnknownWord", InDomain(""" "df": "on" """),
            "2:10: $.bridgeDomains[0].df: 'on' is not known here; write \"set\" or \"unset\" or \"inherit\"");
        yield return Case("EcnIsNumber", InDomain(""" "ecn": 1"""),
            "2:11: $.bridgeDomains[0].ecn: a number is not known here; write \"linux\" or \"rfc6040\"");
        yield return Case("ReservedBitsUnknownWord", InDomain(""" "reservedBits": "ignore" """),
            "2:20: $.bridgeDomains[0].reservedBits: 'ignore' is not known here; write \"rfc\" or \"linux\"");
        yield return Case("InnerVlanUnknownWord", InDomain(""" "innerVlan": true"""),
            "2:17: $.bridgeDomains[0].innerVlan: true or false is not known here; write \"drop\" or \"pass\"");
        yield return Case("FdbEntryNowhere", InDomain(""" "fdb": [ { "mac": "02:00:5e:10:00:01" } ]"""),
            """2:13: $.bridgeDomains[0].fdb[0]: exactly one of "vtep" and "port" must be there; say where the station is""");
        yield return Case("FdbEntryInTwoPlaces", InDomain(""" "ports": [ { "tap": "t" } ], "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.2", "port": "t" } ]"""),
            """2:42: $.bridgeDomains[0].fdb[0]: exactly one of "vtep" and "port" must be there; say where the station is""");
        yield return Case("FdbEntryBehindUnknownPort", InDomain(""" "fdb": [ { "mac": "02:00:5e:10:00:01", "port": "t" } ]"""),
            "2:51: $.bridgeDomains[0].fdb[0].port: the domain has no port 't'; name one of its TAP devices");
        yield return Case("FdbEntryTwice", InDomain(""" "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.2" }, { "mac": "02-00-5E-10-00-01", "vtep": "198.18.0.3" } ]"""),
            "2:76: $.bridgeDomains[0].fdb[1].mac: an entry for 02:00:5e:10:00:01 is already at $.bridgeDomains[0].fdb[0].mac; each may be there once");
        yield return Case("FdbEntryForBroadcast", InDomain(""" "fdb": [ { "mac": "ff:ff:ff:ff:ff:ff", "vtep": "198.18.0.2" } ]"""),
            "2:22: $.bridgeDomains[0].fdb[0].mac: ff:ff:ff:ff:ff:ff is no station's address; use a unicast one, like 02:00:5e:10:00:01");
        yield return Case("FdbEntryBehindOurselves", InDomain(""" "fdb": [ { "mac": "02:00:5e:10:00:01", "vtep": "198.18.0.1:8472" } ]"""),
            "2:51: $.bridgeDomains[0].fdb[0].vtep: 198.18.0.1 is this VTEP's own address; list the other ones only");
    }

    internal static TestCaseData Case(string name, string json, params string[] expected) =>
        new TestCaseData(json, expected).SetArgDisplayNames(name);

    private static string Underlay(string json) => $$"""
        { "bridgeDomains": [],
          "underlay": {{json}} }
        """;

    private static string InDomains(string json) => $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [
          {{json}} ] }
        """;

    private static string InPorts(string json) => $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "a", "vni": 1, "discovery": { "static": { "peers": [] } }, "ports": [
          {{json}} ] } ] }
        """;

    private static string InDiscovery(string json) => $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "a", "vni": 1, "discovery":
          {{json}} } ] }
        """;

    private static string InDomain(string json) => $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "a", "vni": 1, "discovery": { "static": { "peers": [] } },
          {{json}} } ] }
        """;
}
