// A range of etcd keys as its API wants it: from a key up to, not including, another (etcd api/etcdserverpb/rpc.proto, RangeRequest).

using System.Text;
using Google.Protobuf;

namespace VtepDataPlane.Etcd;

/// <summary>All keys from <paramref name="Key"/> up to, not including, <paramref name="End"/>.</summary>
internal readonly record struct KeyRange(ByteString Key, ByteString End)
{
    /// <summary>All keys that begin with a text. Its last character must not be the last there is, which a slash is not.</summary>
    public static KeyRange Of(string prefix)
    {
        byte[] end = Encoding.UTF8.GetBytes(prefix);
        end[^1]++;
        return new KeyRange(ByteString.CopyFromUtf8(prefix), ByteString.CopyFrom(end));
    }
}
