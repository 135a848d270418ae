// How etcd refuses: codes and words of its api/v3rpc/rpctypes.

using Grpc.Core;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>Errors of an etcd.</summary>
internal static class FakeErrors
{
    public static RpcException Compacted => Of(StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted");

    public static RpcException FutureRevision => Of(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision");

    public static RpcException LeaseNotFound => Of(StatusCode.NotFound, "etcdserver: requested lease not found");

    public static RpcException PermissionDenied => Of(StatusCode.PermissionDenied, "etcdserver: permission denied");

    public static RpcException InvalidToken => Of(StatusCode.Unauthenticated, "etcdserver: invalid auth token");

    public static RpcException UserEmpty => Of(StatusCode.InvalidArgument, "etcdserver: user name is empty");

    public static RpcException AuthFailed =>
        Of(StatusCode.InvalidArgument, "etcdserver: authentication failed, invalid user ID or password");

    public static RpcException AuthNotEnabled => Of(StatusCode.FailedPrecondition, "etcdserver: authentication is not enabled");

    public static RpcException NoLeader => Of(StatusCode.Unavailable, "etcdserver: no leader");

    public static RpcException NoSpace => Of(StatusCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded");

    private static RpcException Of(StatusCode code, string words) => new(new Status(code, words));
}
