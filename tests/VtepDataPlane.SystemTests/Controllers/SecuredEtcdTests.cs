// etcd with authentication, and with mutual TLS: one user and one role for each node, which may write its own keys and nobody else's.

using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class SecuredEtcdTests : ControllerTestBed
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-pki-").FullName;

    [OneTimeTearDown]
    public void DeleteKeys() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void UserAndPassword_WithARoleForEachNode_AreEnough()
    {
        MakeStore();
        MakeRoles();
        Vteps = [.. Lab.Hosts.Take(3).Select(host => Start(host, Domain(WithPassword(host))))];
        WaitUntilAcquainted();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        WaitUntilNoDifference();

        CommandResult foreign = Vteps[0].Ask("directory", "add", "--node", "h3", "--vni", $"{Vni}", "--mac", Berta);
        Assert.That((foreign.ExitCode, foreign.Error), Is.EqualTo((1, foreign.Error)), "another node's records can't be written");
        Assert.That(foreign.Error, Does.Contain("permission"));
    }

    [Test]
    public void WrongPassword_IsSaid_AndTriedAgainWhenTheFileIsRight()
    {
        MakeStore();
        MakeRoles();
        LabHost host = Lab.Hosts[0];
        LabController controller = WithPassword(host);
        string file = (string)controller.Keys["passwordFile"]!;
        File.WriteAllText(file, "wrong");
        VtepProcess vtep = Start(host, Domain(controller));
        Vteps = [vtep];
        AnnounceStoreTrouble();

        WaitUntilState(vtep, "refused");
        Assert.That((string?)Controller(vtep)["problem"], Does.Contain("password").IgnoreCase.And.Not.Contain("wrong"));
        File.WriteAllText(file, "secret-h1");

        WaitUntilState(vtep, "connected", seconds: 40);
    }

    [Test]
    public void MutualTls_ByACertificateForEachNode_IsEnough()
    {
        string authority = MakeAuthority();
        (string serverCertificate, string serverKey) = MakeCertificate("etcd", "subjectAltName=IP:198.18.0.4");
        (string operatorCertificate, string operatorKey) = MakeCertificate("root", "");
        Make(Lab.Switched(System.Net.Sockets.AddressFamily.InterNetwork, hosts: 4));
        EtcdMember etcd = Own(new EtcdMember(
            StoreHost, ["--client-cert-auth", "--trusted-ca-file", authority, "--cert-file", serverCertificate, "--key-file", serverKey],
            "--cacert", authority, "--cert", operatorCertificate, "--key", operatorKey));
        LabController Secured(LabHost host)
        {
            (string certificate, string key) = MakeCertificate($"h{host.Number}", "");
            return new LabController("main")
            {
                Endpoints = [etcd.Endpoint],
                Keys = new Dictionary<string, JsonNode>
                {
                    ["tls"] = new JsonObject { ["ca"] = authority, ["certificate"] = certificate, ["key"] = key },
                },
            };
        }

        Vteps = [.. Lab.Hosts.Take(3).Select(host => Start(host, Domain(Secured(host))))];
        WaitUntilAcquainted();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        WaitUntilNoDifference();
    }

    private void MakeRoles()
    {
        Etcd.Ctl("user", "add", "root:secret-root");
        Etcd.Ctl("user", "grant-role", "root", "root");
        foreach (LabHost host in Lab.Hosts.Take(3))
        {
            string node = $"h{host.Number}";
            Etcd.Ctl("role", "add", node);
            Etcd.Ctl("role", "grant-permission", node, "readwrite", $"{Prefix}/n/{node}/", "--prefix");
            Etcd.Ctl("role", "grant-permission", node, "readwrite", $"{Prefix}/s/{node}/", "--prefix");
            Etcd.Ctl("role", "grant-permission", node, "read", $"{Prefix}/", "--prefix");
            Etcd.Ctl("user", "add", $"{node}:secret-{node}");
            Etcd.Ctl("user", "grant-role", node, node);
        }

        Etcd.Ctl("auth", "enable");
    }

    private LabController WithPassword(LabHost host)
    {
        string file = Path.Combine(_folder, $"{TestContext.CurrentContext.Test.ID}-h{host.Number}");
        File.WriteAllText(file, $"secret-h{host.Number}\n");
        Command.Run("chmod", "0600", file).OrFail();
        LabController main = Main();
        return main with
        {
            Keys = new Dictionary<string, JsonNode>(main.Keys) { ["user"] = $"h{host.Number}", ["passwordFile"] = file },
        };
    }

    private string MakeAuthority()
    {
        string certificate = Path.Combine(_folder, "ca.pem");
        OpenSsl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", Path.Combine(_folder, "ca.key"), "-out", certificate);
        return certificate;
    }

    private (string Certificate, string Key) MakeCertificate(string name, string extension)
    {
        (string certificate, string key) = (Path.Combine(_folder, $"{name}.pem"), Path.Combine(_folder, $"{name}.key"));
        (string request, string extensions) = (Path.Combine(_folder, $"{name}.csr"), Path.Combine(_folder, $"{name}.ext"));
        File.WriteAllText(extensions, extension);
        OpenSsl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", $"/CN={name}", "-keyout", key, "-out", request);
        OpenSsl("x509", "-req", "-in", request, "-days", "2", "-CA", Path.Combine(_folder, "ca.pem"), "-CAkey", Path.Combine(_folder, "ca.key"), "-CAcreateserial",
            "-extfile", extensions, "-out", certificate);
        return (certificate, key);
    }

    private static void OpenSsl(params IEnumerable<string> words)
    {
        Requirements.Need("openssl");
        Command.Run("openssl", words).OrFail();
    }
}
