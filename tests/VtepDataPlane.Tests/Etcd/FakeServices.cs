// The four services of the scripted etcd. What they answer by is FakeEtcd's switches and FakeStore's keys.

using Grpc.Core;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>Keys.</summary>
internal sealed class FakeKv(FakeEtcd etcd) : KV.KVBase
{
    public override async Task<RangeResponse> Range(RangeRequest request, ServerCallContext context)
    {
        await etcd.EnterAsync("Range", context);
        etcd.Ranges.Enqueue(request);
        return etcd.Store.Range(request);
    }

    public override async Task<TxnResponse> Txn(TxnRequest request, ServerCallContext context)
    {
        await etcd.EnterAsync("Txn", context);
        etcd.Txns.Enqueue(request);
        return etcd.Store.Txn(request);
    }
}

/// <summary>Leases.</summary>
internal sealed class FakeLease(FakeEtcd etcd) : Lease.LeaseBase
{
    public override async Task<LeaseGrantResponse> LeaseGrant(LeaseGrantRequest request, ServerCallContext context)
    {
        await etcd.EnterAsync("LeaseGrant", context);
        return etcd.Store.Grant(request);
    }

    public override async Task<LeaseRevokeResponse> LeaseRevoke(LeaseRevokeRequest request, ServerCallContext context)
    {
        await etcd.EnterAsync("LeaseRevoke", context);
        return etcd.Store.EndLease(request.ID) ? new LeaseRevokeResponse { Header = etcd.Store.Header } : throw FakeErrors.LeaseNotFound;
    }

    public override async Task LeaseKeepAlive(
        IAsyncStreamReader<LeaseKeepAliveRequest> requests, IServerStreamWriter<LeaseKeepAliveResponse> responses, ServerCallContext context)
    {
        await etcd.EnterAsync("LeaseKeepAlive", context);
        while (await requests.MoveNext(context.CancellationToken))
        {
            if (etcd.Hang.ContainsKey("LeaseKeepAlive"))
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            long id = requests.Current.ID;
            await responses.WriteAsync(new LeaseKeepAliveResponse { Header = etcd.Store.Header, ID = id, TTL = etcd.Store.KeepAlive(id) });
        }
    }
}

/// <summary>Users.</summary>
internal sealed class FakeAuth(FakeEtcd etcd) : Auth.AuthBase
{
    public override async Task<AuthenticateResponse> Authenticate(AuthenticateRequest request, ServerCallContext context)
    {
        await etcd.EnterAsync("Authenticate", context);
        if (etcd.Login is not { } login)
            throw FakeErrors.AuthNotEnabled;
        return (request.Name, request.Password) == login
            ? new AuthenticateResponse { Header = etcd.Store.Header, Token = etcd.NewToken() }
            : throw FakeErrors.AuthFailed;
    }
}
