// From what gRPC throws to what to do about it. etcd says most by the code, some only by its words (api/v3rpc/rpctypes/error.go); trouble below
// gRPC is told by the exception inside. A server's words come from outside: they are shown escaped.

using System.Security.Authentication;
using Grpc.Core;

namespace VtepDataPlane.Etcd;

/// <summary>Sorts failures and puts them into sentences.</summary>
internal static class EtcdErrors
{
    /// <summary>The member, without anything secret an address may hold.</summary>
    public static string Shown(Uri endpoint) => $"{endpoint.Scheme}://{VtepConfigRules.Escape(endpoint.Authority)}";

    /// <summary>Nobody answered in time.</summary>
    public static EtcdException Late(Uri endpoint, TimeSpan within) => new(EtcdFailure.Away,
        $"etcd at {Shown(endpoint)} didn't answer within {within.TotalSeconds:0.#} s. Check that it runs, has a leader, and can be reached.");

    /// <summary>A stream has ended that never should.</summary>
    public static EtcdException Ended(Uri endpoint) =>
        new(EtcdFailure.Away, $"etcd at {Shown(endpoint)} has ended the stream. If that goes on, look into its log.");

    /// <summary>The token is nobody's, or from before users and roles were changed: a new one may do.</summary>
    public static bool IsTokenProblem(Exception e) => e is RpcException told
        && (told.StatusCode == StatusCode.Unauthenticated || Says(told, "invalid auth token") || Says(told, "revision of auth store is old"));

    /// <summary>It may be this member's trouble only: others should be tried.</summary>
    public static bool IsOfThisMember(Exception e) => e is not RpcException told || told.StatusCode is StatusCode.Unavailable or StatusCode.Internal
        or StatusCode.Unknown or StatusCode.Unimplemented or StatusCode.Cancelled or StatusCode.DeadlineExceeded;

    /// <summary>What to do about it, and a sentence.</summary>
    public static EtcdException Tell(Exception e, Uri endpoint)
    {
        if (e is EtcdException known)
            return known;
        if (Inside<AuthenticationException>(e) is { } distrust)
            return Refused($"There is no trust between us and etcd at {Shown(endpoint)}: {Deepest(distrust)}. Check the authorities' file, the host name in "
                + "its certificate, and that it speaks TLS.", e);
        if (IsTlsAlert(e) || (endpoint.Scheme == Uri.UriSchemeHttps && IsInside(e, "HTTP/2 handshake")))
            return Refused($"etcd at {Shown(endpoint)} doesn't take our certificate: it hung up after the TLS handshake. Check the certificate and key files.", e);
        if (IsInside(e, "HTTP/2 handshake") || IsInside(e, "unexpected EOF"))
            return new EtcdException(EtcdFailure.Away, $"What answers at {Shown(endpoint)} ends every connection at once: {Deepest(e)}. Check that etcd runs there, "
                + "and whether it is http or https.", e);
        return e is RpcException told ? ByCode(told, endpoint) : Away(endpoint, Deepest(e), e);
    }

    private static EtcdException ByCode(RpcException e, Uri endpoint) => e.StatusCode switch
    {
        StatusCode.OutOfRange or StatusCode.NotFound => new EtcdException(EtcdFailure.Gone, $"etcd at {Shown(endpoint)} has it no more: {Words(e)}.", e),
        StatusCode.PermissionDenied => Refused($"etcd at {Shown(endpoint)} denies us: {Words(e)}. Grant the node's user read on the prefix, and write on "
            + "its own keys.", e),
        StatusCode.Unauthenticated or StatusCode.InvalidArgument => Refused(Login(e, endpoint), e),
        StatusCode.FailedPrecondition when Says(e, "authentication is not enabled") =>
            Refused($"etcd at {Shown(endpoint)} has no users. Enable its authentication, or configure no user here.", e),
        StatusCode.Unimplemented => Refused($"What answers at {Shown(endpoint)} is no etcd of version 3: {Words(e)}. Check the address and the port.", e),
        StatusCode.ResourceExhausted when Says(e, "Received message exceeds") =>
            new EtcdException(EtcdFailure.TooLarge, $"etcd at {Shown(endpoint)} holds values too large to be read.", e),
        StatusCode.ResourceExhausted when Says(e, "space exceeded") =>
            Refused($"etcd at {Shown(endpoint)} is full: {Words(e)}. Compact and defragment it, then disarm its alarm.", e),
        StatusCode.Internal when IsNoHttp2(e) =>
            Refused($"What answers at {Shown(endpoint)} doesn't speak gRPC: {Words(e)}. Check the port, and whether it is http or https there.", e),
        _ => Away(endpoint, Words(e), e),
    };

    private static string Login(RpcException e, Uri endpoint)
    {
        if (Says(e, "user name is empty"))
            return $"etcd at {Shown(endpoint)} wants to know who we are. Configure a user and its password file, or a certificate.";
        return Says(e, "authentication failed") || Says(e, "auth")
            ? $"etcd at {Shown(endpoint)} refuses our login: {Words(e)}. Check the user and the password file."
            : $"etcd at {Shown(endpoint)} refuses the request: {Words(e)}. Look into its log.";
    }

    private static EtcdException Away(Uri endpoint, string reason, Exception e) =>
        new(EtcdFailure.Away, $"etcd at {Shown(endpoint)} is away: {reason}. Check that it runs and can be reached.", e);

    private static EtcdException Refused(string sentence, Exception e) => new(EtcdFailure.Refused, sentence, e);

    // Behind a TLS 1.3 handshake that looked done, a server that wants another certificate says so with an alert, or, as etcd does, just hangs up.
    private static bool IsTlsAlert(Exception e) => IsInside(e, "SSL routines") || IsInside(e, "SSL_ERROR_SSL");

    private static bool IsInside(Exception e, string words)
    {
        for (Exception? at = e is RpcException told ? told.Status.DebugException : e; at is not null; at = at.InnerException)
        {
            if (at.Message.Contains(words, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static bool IsNoHttp2(RpcException e) =>
        Says(e, "PROTOCOL_ERROR") || Says(e, "invalid or unrecognized response") || Says(e, "Bad gRPC response") || Says(e, "HTTP_1_1_REQUIRED");

    private static bool Says(RpcException e, string words) => e.Status.Detail.Contains(words, StringComparison.Ordinal);

    // the library's own words are long and hold ours in them; the server's are short
    private static string Words(RpcException e) => e.Status.DebugException is null ? Short(e.Status.Detail) : Deepest(e);

    private static string Deepest(Exception e)
    {
        while (InnerOf(e) is { } inner)
            e = inner;
        return Short(e.Message);
    }

    private static string Short(string words) => VtepConfigRules.Escape((words.Length > 200 ? words[..200] : words).TrimEnd('.', ' '));

    private static T? Inside<T>(Exception e)
        where T : Exception
    {
        for (Exception? at = e; at is not null; at = InnerOf(at))
        {
            if (at is T found)
                return found;
        }

        return null;
    }

    private static Exception? InnerOf(Exception e) => e.InnerException ?? (e as RpcException)?.Status.DebugException;
}
