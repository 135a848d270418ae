// Logins, members in turn, files, and the sentences an operator gets.

using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using NUnit.Framework;
using VtepDataPlane.Etcd;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

public sealed class ConnectionTests
{
    private static readonly RangeRequest s_anything = new() { Key = ByteString.CopyFromUtf8("/a") };

    private FakeEtcd _etcd = null!;
    private string _directory = "";

    [SetUp]
    public async Task Start()
    {
        _etcd = await FakeEtcd.StartAsync();
        _directory = Directory.CreateTempSubdirectory("vtep-etcd-").FullName;
    }

    [TearDown]
    public async Task End()
    {
        await _etcd.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private string PasswordFile(string password, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        string path = Path.Combine(_directory, "password");
        File.WriteAllText(path, password + "\n");
        File.SetUnixFileMode(path, mode);
        return path;
    }

    private EtcdConnection WithLogin(string passwordFile) =>
        new(RunningDirectory.Options(_etcd) with { User = "node", PasswordFile = passwordFile }, RunningDirectory.Quick, TimeProvider.System);

    private static async Task<EtcdException> FailureAsync(EtcdConnection connection)
    {
        try
        {
            await connection.RangeAsync(s_anything, default);
        }
        catch (EtcdException e)
        {
            return e;
        }

        throw new AssertionException("It didn't fail.");
    }

    [Test]
    public async Task WithAUser_ATokenIsFetchedOnce_AndGoesAlong()
    {
        _etcd.Login = ("node", "secret");
        using EtcdConnection connection = WithLogin(PasswordFile("secret"));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => connection.RangeAsync(s_anything, default)));

        Assert.That(_etcd.Calls("Authenticate"), Is.EqualTo(1));
        Assert.That(_etcd.Calls("Range"), Is.EqualTo(5));
    }

    [Test]
    public async Task AnExpiredToken_IsReplaced_AndNobodyNotices()
    {
        _etcd.Login = ("node", "secret");
        using EtcdConnection connection = WithLogin(PasswordFile("secret"));
        await connection.RangeAsync(s_anything, default);
        _etcd.ExpireTokens();
        await connection.RangeAsync(s_anything, default);

        Assert.That(_etcd.Calls("Authenticate"), Is.EqualTo(2));
    }

    [Test]
    public async Task AnExpiredToken_LooksToAWatchLikeAMissingRight_AndIsReplacedAllTheSame()
    {
        _etcd.Login = ("node", "secret");
        await using var run = new RunningDirectory(
            RunningDirectory.Options(_etcd) with { User = "node", PasswordFile = PasswordFile("secret") }, RunningDirectory.Quick);
        await run.ConnectedAsync();
        _etcd.ExpireTokens();
        _etcd.DropConnections();
        await run.UntilAsync(() => _etcd.Calls("Authenticate") >= 2 && _etcd.Watches.Count >= 2, "a watch with a new token");
        await run.ConnectedAsync();

        Assert.That(run.Told.OfType<VtepDataPlane.Discovery.DirectoryStatus>().Select(status => status.State),
            Has.None.EqualTo(VtepDataPlane.Discovery.DirectoryState.Refused));
    }

    [Test]
    public async Task AWrongPassword_IsRefused_WithoutItInTheSentence_AndANewOneInTheFileIsTaken()
    {
        _etcd.Login = ("node", "secret");
        string file = PasswordFile("wrong-one");
        using EtcdConnection connection = WithLogin(file);
        EtcdException e = await FailureAsync(connection);
        Assert.That(e.Failure, Is.EqualTo(EtcdFailure.Refused));
        Assert.That(e.Message, Is.EqualTo($"etcd at http://{_etcd.Endpoint.Authority} refuses our login: etcdserver: authentication failed, invalid user ID or password. "
            + "Check the user and the password file."));
        Assert.That(e.ToString(), Does.Not.Contain("wrong-one"));

        File.WriteAllText(file, "secret");
        await connection.RangeAsync(s_anything, default);
    }

    [Test]
    public async Task APasswordThatOthersCanRead_IsNotUsed()
    {
        _etcd.Login = ("node", "secret");
        using EtcdConnection connection = WithLogin(PasswordFile("secret", UnixFileMode.UserRead | UnixFileMode.OtherRead));
        EtcdException e = await FailureAsync(connection);

        Assert.That(e.Failure, Is.EqualTo(EtcdFailure.Refused));
        Assert.That(e.Message, Does.StartWith("Others can read the password file '").And.EndsWith("(mode 404). Make it its owner's: chmod 600, and change the password."));
        Assert.That(_etcd.Calls("Authenticate"), Is.Zero);
    }

    [Test]
    public async Task AUserWhereThereAreNone_AndNoUserWhereOneIsWanted_AreToldApart()
    {
        using EtcdConnection with = WithLogin(PasswordFile("secret"));
        Assert.That((await FailureAsync(with)).Message, Does.EndWith("has no users. Enable its authentication, or configure no user here."));

        _etcd.Login = ("node", "secret");
        using var without = new EtcdConnection(RunningDirectory.Options(_etcd), RunningDirectory.Quick, TimeProvider.System);
        Assert.That((await FailureAsync(without)).Message, Does.EndWith("wants to know who we are. Configure a user and its password file, or a certificate."));
    }

    [Test]
    public async Task NobodyListening_IsAway_AndTheNextMemberIsTried()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, never listening: the port stays nobody's
        var closed = new Uri($"http://{nobody.LocalEndPoint}");
        using var connection = new EtcdConnection(
            RunningDirectory.Options(_etcd) with { Endpoints = [closed, _etcd.Endpoint] }, RunningDirectory.Quick, TimeProvider.System);
        EtcdException e = await FailureAsync(connection);
        Assert.That(e.Failure, Is.EqualTo(EtcdFailure.Away));
        Assert.That(e.Message, Is.EqualTo($"etcd at http://{closed.Authority} is away: Connection refused. Check that it runs and can be reached."));

        await connection.RangeAsync(s_anything, default);
        Assert.That(connection.Endpoint, Is.EqualTo(_etcd.Endpoint));
    }

    [Test]
    public async Task AUserNameAndPasswordInAnAddress_AreNeverShown()
    {
        var address = new Uri("http://user:secret@127.0.0.1:1");
        using var connection = new EtcdConnection(RunningDirectory.Options(_etcd) with { Endpoints = [address] }, RunningDirectory.Quick, TimeProvider.System);
        Assert.That((await FailureAsync(connection)).ToString(), Does.Not.Contain("secret"));
    }

    private static readonly TestCaseData[] s_failures =
    [
        new(StatusCode.Unavailable, "etcdserver: no leader", "Away"),
        new(StatusCode.Unavailable, "etcdserver: request timed out", "Away"),
        new(StatusCode.Internal, "oops", "Away"),
        new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted", "Gone"),
        new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision", "Gone"),
        new(StatusCode.NotFound, "etcdserver: requested lease not found", "Gone"),
        new(StatusCode.PermissionDenied, "etcdserver: permission denied", "Refused"),
        new(StatusCode.Unauthenticated, "etcdserver: invalid auth token", "Refused"),
        new(StatusCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded", "Refused"),
        new(StatusCode.ResourceExhausted, "etcdserver: too many requests", "Away"),
        new(StatusCode.Unimplemented, "unknown service etcdserverpb.KV", "Refused"),
    ];

    [TestCaseSource(nameof(s_failures))]
    public async Task WhatEtcdSays_IsSortedByWhatToDoAboutIt(StatusCode code, string words, string failure)
    {
        _etcd.Refuse = _ => new RpcException(new Status(code, words + "\u001b[31m"));
        using var connection = new EtcdConnection(RunningDirectory.Options(_etcd), RunningDirectory.Quick, TimeProvider.System);
        EtcdException e = await FailureAsync(connection);

        Assert.That(e.Failure.ToString(), Is.EqualTo(failure));
        Assert.That(e.Message, Does.Contain(_etcd.Endpoint.Authority).And.Contain(words).And.Contain("\\u001b").And.Not.Contain("\u001b"));
    }

    [Test]
    public async Task WhatIsNoEtcd_IsRefused()
    {
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        Task<TcpClient> caller = web.AcceptTcpClientAsync();
        using var connection = new EtcdConnection(
            RunningDirectory.Options(_etcd) with { Endpoints = [new Uri($"http://{web.LocalEndpoint}")] }, RunningDirectory.Quick, TimeProvider.System);
        Task<EtcdException> failure = FailureAsync(connection);
        using TcpClient client = await caller;
        await client.GetStream().ReadExactlyAsync(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".Length]); // a server answers what it was asked
        await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
        EtcdException e = await failure;

        Assert.That(e.Failure, Is.EqualTo(EtcdFailure.Refused), e.ToString());
        Assert.That(e.Message, Does.Contain("doesn't speak gRPC").And.EndsWith("Check the port, and whether it is http or https there."));
    }

    [Test]
    public async Task ACallThatIsCalledOff_IsNobodysFailure()
    {
        _etcd.Hang["Range"] = true;
        using var connection = new EtcdConnection(RunningDirectory.Options(_etcd, _etcd), RunningDirectory.Quick, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        Task<RangeResponse> call = connection.RangeAsync(s_anything, stop.Token);
        await stop.CancelAsync();

        Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
    }
}
