// Broken controllers, with everything the loader says of them, word for word. Fragments stand on line 2.

using NUnit.Framework;

namespace VtepDataPlane.Tests.Program;

internal static class BrokenControllers
{
    private const string Endpoints = "\"node\": \"h1\", \"prefix\": \"/v\", \"endpoints\": ";
    private const string Rest = "\"node\": \"h1\", \"endpoints\": [ \"https://e:2379\" ], \"prefix\": \"/v\"";

    public static IEnumerable<TestCaseData> All()
    {
        yield return Case("ControllersAsList", "[]",
            "2:1: $.controllers: must be an object, not a list; write { \"main\": ... }");
        yield return Case("ControllerNameIllegal", """{ "a b": { "file": { "path": "/d", "node": "h1" } } }""",
            "2:3: $.controllers['a b']: 'a b' is no name of a controller; use 1 to 64 letters, digits, hyphens and underscores, like main");
        yield return Case("ControllerTwice", """{ "a": { "file": { "path": "/d", "node": "h1" } }, "a": {} }""",
            "2:52: $.controllers.a: the key \"a\" is there twice; remove one");
        yield return Case("ControllerOfNoKind", """{ "main": {} }""",
            "2:11: $.controllers.main: exactly one kind of controller must be there; write \"etcd\" or \"file\"");
        yield return Case("ControllerOfTwoKinds", """{ "main": { "file": { "node": "h1" }, "etcd": { "node": "h1" } } }""",
            "2:11: $.controllers.main: exactly one kind of controller must be there; write \"etcd\" or \"file\"",
            "2:21: $.controllers.main.file: the key \"path\" is missing; add \"path\": \"/etc/vtep/directory.json\"",
            "2:47: $.controllers.main.etcd: the key \"endpoints\" is missing; add \"endpoints\": [ \"http://198.18.0.100:2379\" ]",
            "2:47: $.controllers.main.etcd: the key \"prefix\" is missing; add \"prefix\": \"/vtep/v1/lab\"");
        yield return Case("ControllerOfUnknownKind", """{ "main": { "etc": {} } }""",
            "2:13: $.controllers.main.etc: unknown key 'etc'; did you mean \"etcd\"?");
        yield return Case("FileRelative", """{ "main": { "file": { "path": "d.json", "node": "h1" } } }""",
            "2:31: $.controllers.main.file.path: 'd.json' is no absolute path of a file; write it like /etc/vtep/directory.json");
        yield return Case("NodeIllegal", """{ "main": { "file": { "path": "/d", "node": "a/b" } } }""",
            "2:45: $.controllers.main.file.node: 'a/b' is no node id; use 1 to 64 letters, digits, dots, hyphens and underscores, like h1");
        yield return Case("AllowedVtepsWithHostBits", """{ "main": { "file": { "path": "/d", "node": "h1", "allowedVteps": [ "198.18.0.1/15", 7 ] } } }""",
            "2:69: $.controllers.main.file.allowedVteps[0]: '198.18.0.1/15' is no prefix; write it like 198.18.0.0/15, with no bit set behind its length",
            "2:86: $.controllers.main.file.allowedVteps[1]: must be a string, not a number; write \"198.18.0.0/15\"");
        foreach (TestCaseData data in Etcds())
            yield return data;
    }

    private static IEnumerable<TestCaseData> Etcds()
    {
        yield return Etcd("EndpointsEmpty", Endpoints + "[]",
            "2:66: $.controllers.main.etcd.endpoints: the list is empty; name at least one member of the cluster, like \"http://198.18.0.100:2379\"");
        yield return Etcd("EndpointWithoutScheme", Endpoints + "[ \"198.18.0.100:2379\", \"http://e:2379/v3\" ]",
            "2:68: $.controllers.main.etcd.endpoints[0]: '198.18.0.100:2379' is no endpoint; write http:// or https://, a host and a port, like http://198.18.0.100:2379",
            "2:89: $.controllers.main.etcd.endpoints[1]: 'http://e:2379/v3' is no endpoint; write http:// or https://, a host and a port, like http://198.18.0.100:2379");
        yield return Etcd("EndpointWithPassword", Endpoints + "[ \"http://root:secret@e:2379\" ]",
            "2:68: $.controllers.main.etcd.endpoints[0]: an endpoint names no user; write \"user\" and \"passwordFile\" beside \"endpoints\"");
        yield return Etcd("EndpointTwice", Endpoints + "[ \"http://e:2379\", \"http://E:2379/\" ]",
            "2:85: $.controllers.main.etcd.endpoints[1]: the endpoint 'http://E:2379/' is already at $.controllers.main.etcd.endpoints[0]; each may be there once");
        yield return Etcd("PrefixWithSlashAtItsEnd", "\"node\": \"h1\", \"endpoints\": [ \"http://e:2379\" ], \"prefix\": \"/v/\"",
            "2:81: $.controllers.main.etcd.prefix: '/v/' is no prefix of keys; write a path of letters, digits, '.', '-' and '_' with a slash at its beginning and none at its end, like /vtep/v1/lab");
        yield return Etcd("LeaseTooShort", Rest + ", \"leaseSeconds\": 4",
            "2:104: $.controllers.main.etcd.leaseSeconds: 4 is out of range; it must be 5 to 86400");
        yield return Etcd("UserWithoutPassword", Rest + ", \"user\": \"h1\"",
            "2:21: $.controllers.main.etcd: \"user\" is there without \"passwordFile\"; add the file that holds the password");
        yield return Etcd("PasswordWithoutUser", Rest + ", \"passwordFile\": \"/p\"",
            "2:21: $.controllers.main.etcd: \"passwordFile\" is there without \"user\"; add the user's name");
        yield return Etcd("CertificateWithoutKey", Rest + ", \"tls\": { \"certificate\": \"/c\" }",
            "2:95: $.controllers.main.etcd.tls: \"certificate\" and \"key\" belong together; add the missing one, or remove the other");
        yield return Etcd("TlsOverHttp", Endpoints + "[ \"https://e:2379\", \"http://f:2379\" ], \"tls\": { \"ca\": \"/c\" }",
            "2:86: $.controllers.main.etcd.endpoints[1]: \"tls\" is there, but this endpoint is not encrypted; write https://");
        yield return Etcd("CacheRelative", Rest + ", \"cache\": \"c\"",
            "2:97: $.controllers.main.etcd.cache: 'c' is no absolute path of a file; write it like /var/lib/vtep/main.cache");
        yield return Case("CacheOfTwo", $$"""{ "a": { "etcd": { {{Rest}}, "cache": "/c" } }, "b": { "etcd": { {{Rest}}, "cache": "/c" } }, "c": { "etcd": { {{Rest}}, "cache": "/run/vtep/vtep.sock" } } }""",
            "2:195: $.controllers.b.etcd.cache: the file '/c' is already at $.controllers.a.etcd.cache; give each its own",
            "2:296: $.controllers.c.etcd.cache: the file '/run/vtep/vtep.sock' is already at $.control.socket; give each its own");
        yield return BrokenConfigurations.Case("FileThatIsAsked", """
            { "underlay": { "local": "198.18.0.1" }, "controllers": { "main": { "file": { "path": "/d", "node": "h1" } } }, "bridgeDomains": [
              { "name": "a", "vni": 1, "discovery": { "controller": { "name": "main", "mode": "lookup" } } } ] }
            """,
            "2:83: $.bridgeDomains[0].discovery.controller.mode: a file is known as a whole and can't be asked for single stations; write \"watch\"");
        yield return BrokenConfigurations.Case("ControllerMisnamed", """
            { "underlay": { "local": "198.18.0.1" }, "controllers": { "main": { "file": { "path": "/d", "node": "h1" } } }, "bridgeDomains": [
              { "name": "a", "vni": 1, "discovery": { "controller": { "name": "mian" } } } ] }
            """,
            "2:67: $.bridgeDomains[0].discovery.controller.name: there is no controller 'mian'; the controllers are main");
    }

    private static TestCaseData Etcd(string name, string keys, params string[] expected) => Case(name, $$"""{ "main": { "etcd": { {{keys}} } } }""", expected);

    private static TestCaseData Case(string name, string json, params string[] expected) => BrokenConfigurations.Case(name, $$"""
        { "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [], "controllers":
        {{json}} }
        """, expected);
}
