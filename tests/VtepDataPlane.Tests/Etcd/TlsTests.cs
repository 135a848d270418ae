// TLS to an etcd: whom we trust, who we are, and files that are replaced while we run.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NUnit.Framework;
using VtepDataPlane.Etcd;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

public sealed class TlsTests
{
    private static readonly RangeRequest s_anything = new() { Key = ByteString.CopyFromUtf8("/a") };

    private readonly List<string?> _clients = [];
    private string _directory = "";
    private X509Certificate2 _authority = null!;
    private FakeEtcd _etcd = null!;

    [SetUp]
    public async Task Start()
    {
        _directory = Directory.CreateTempSubdirectory("vtep-tls-").FullName;
        _authority = Authority("CN=ca");
        File.WriteAllText(File1("ca"), _authority.ExportCertificatePem());
        _clients.Clear();
        _etcd = await FakeEtcd.StartAsync(tls: tls =>
        {
            tls.ServerCertificate = Signed("CN=etcd", _authority);
            tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            tls.ClientCertificateValidation = (certificate, _, _) => IsOurs(certificate);
        });
    }

    [TearDown]
    public async Task End()
    {
        await _etcd.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private string File1(string name) => Path.Combine(_directory, name + ".pem");

    private bool IsOurs(X509Certificate2 certificate)
    {
        _clients.Add(certificate.Subject);
        return certificate.Issuer == "CN=ca";
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    private static X509Certificate2 Signed(string name, X509Certificate2 by)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.Create(by, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(30), RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
    }

    private void BeClient(string name, X509Certificate2 by)
    {
        X509Certificate2 client = Signed(name, by);
        File.WriteAllText(File1("client"), client.ExportCertificatePem());
        File.WriteAllText(File1("key"), client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }

    private EtcdConnection Connect(Uri? endpoint = null) => new(new EtcdOptions
    {
        Endpoints = [endpoint ?? _etcd.Endpoint],
        Prefix = RunningDirectory.Prefix,
        Node = "me",
        CaFile = File1("ca"),
        CertificateFile = File1("client"),
        KeyFile = File1("key"),
    }, RunningDirectory.Quick, TimeProvider.System);

    private static async Task<EtcdException> RefusalAsync(EtcdConnection connection)
    {
        EtcdException e = (await Assert.ThrowsAsync<EtcdException>(() => connection.RangeAsync(s_anything, default)))!;
        Assert.That(e.Failure, Is.EqualTo(EtcdFailure.Refused), e.ToString());
        return e;
    }

    [Test]
    public async Task ACertificateThatIsReplaced_IsUsedFromTheNextCallOn()
    {
        BeClient("CN=first", _authority);
        using EtcdConnection connection = Connect();
        await connection.RangeAsync(s_anything, default);
        await connection.RangeAsync(s_anything, default);
        BeClient("CN=second", _authority);
        await connection.RangeAsync(s_anything, default);

        Assert.That(_clients, Is.EqualTo(new[] { "CN=first", "CN=second" }));
    }

    [Test]
    public async Task AHalfReplacedPair_DisturbsNobody()
    {
        BeClient("CN=first", _authority);
        using EtcdConnection connection = Connect();
        await connection.RangeAsync(s_anything, default);
        File.WriteAllText(File1("key"), "");
        await connection.RangeAsync(s_anything, default);

        Assert.That(_clients, Is.EqualTo(new[] { "CN=first" }));
    }

    [Test]
    public async Task AServerOfAnotherAuthority_IsNotTrusted()
    {
        BeClient("CN=node", _authority);
        using X509Certificate2 other = Authority("CN=other");
        File.WriteAllText(File1("ca"), other.ExportCertificatePem());
        using EtcdConnection connection = Connect();

        Assert.That((await RefusalAsync(connection)).Message, Does.StartWith($"There is no trust between us and etcd at https://{_etcd.Endpoint.Authority}: "));
    }

    [Test]
    public async Task AServerOfAnotherName_IsNotTrusted()
    {
        BeClient("CN=node", _authority);
        using EtcdConnection connection = Connect(new Uri($"https://localhost:{_etcd.Endpoint.Port}"));

        Assert.That((await RefusalAsync(connection)).Message, Does.Contain("RemoteCertificateNameMismatch"));
    }

    [Test]
    public async Task ACertificateTheServerDoesNotTake_IsRefused()
    {
        using X509Certificate2 other = Authority("CN=other");
        BeClient("CN=node", other);
        using EtcdConnection connection = Connect();

        Assert.That((await RefusalAsync(connection)).Message, Does.Contain("doesn't take our certificate"));
    }

    [Test]
    public async Task AMissingFile_IsNamed()
    {
        using EtcdConnection connection = Connect();
        Assert.That((await RefusalAsync(connection)).Message, Does.Contain("client.pem").And.EndsWith("Put the right file there."));
    }
}
