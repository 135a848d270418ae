// The scripted etcd's watches: one to a stream, as we ask for them. What goes wrong goes wrong as on etcd 3.4: a refused watch is "created"
// and cancelled at once under the id -1; one below the compacted revision is created and then cancelled with a header without revision;
// one above the store's revision is created and stays silent.

using System.Threading.Channels;
using Grpc.Core;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>Watches.</summary>
internal sealed class FakeWatch(FakeEtcd etcd) : Watch.WatchBase
{
    public override async Task Watch(IAsyncStreamReader<WatchRequest> requests, IServerStreamWriter<WatchResponse> responses, ServerCallContext context)
    {
        await etcd.EnterAsync("Watch", context);
        if (!await requests.MoveNext(context.CancellationToken))
            return;
        WatchCreateRequest create = requests.Current.CreateRequest;
        etcd.Watches.Enqueue(create);
        if (await IsRefusedAsync(create, responses, context))
            return;
        var write = Channel.CreateUnbounded<WatchResponse>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        Task asked = AnswerAsync(requests, write.Writer, ended.Token);
        Task follow = FollowAsync(create, write.Writer, ended.Token);
        await foreach (WatchResponse response in write.Reader.ReadAllAsync(ended.Token))
            await responses.WriteAsync(response, ended.Token);
        await ended.CancelAsync();
        await Task.WhenAll(asked, follow).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private async Task<bool> IsRefusedAsync(WatchCreateRequest create, IServerStreamWriter<WatchResponse> responses, ServerCallContext context)
    {
        if (!etcd.HasToken(context))
        {
            await responses.WriteAsync(Refused("rpc error: code = PermissionDenied desc = etcdserver: permission denied"));
            return true;
        }

        WatchResponse? scripted = etcd.AnswerWatch(create);
        await responses.WriteAsync(scripted ?? new WatchResponse { Header = etcd.Store.Header, Created = true });
        if (scripted is { Canceled: true })
            return true;
        if (create.StartRevision == 0 || create.StartRevision >= etcd.Store.Compacted)
            return false;
        await responses.WriteAsync(new WatchResponse
        {
            Header = new ResponseHeader { ClusterId = etcd.Store.ClusterId, MemberId = 1 },
            Canceled = true,
            CompactRevision = etcd.Store.Compacted,
        });
        return true;
    }

    /// <summary>As etcd answers who may not watch.</summary>
    public static WatchResponse Refused(string reason) => new()
    {
        Header = new ResponseHeader { ClusterId = 0xC1, MemberId = 1, Revision = 1 },
        WatchId = -1,
        Created = true,
        Canceled = true,
        CancelReason = reason,
    };

    private async Task AnswerAsync(IAsyncStreamReader<WatchRequest> requests, ChannelWriter<WatchResponse> write, CancellationToken stop)
    {
        while (await requests.MoveNext(stop))
        {
            if (requests.Current.ProgressRequest is null)
                continue;
            etcd.ProgressAsked++;
            if (!etcd.WatchIsMute)
                write.TryWrite(new WatchResponse { Header = etcd.Store.Header, WatchId = -1 });
        }

        write.TryComplete();
    }

    private async Task FollowAsync(WatchCreateRequest create, ChannelWriter<WatchResponse> write, CancellationToken stop)
    {
        long next = create.StartRevision != 0 ? create.StartRevision : etcd.Store.Revision + 1;
        for (int sent = 0; sent < etcd.EndWatchAfter;)
        {
            Task changed = etcd.Store.Changed;
            List<Event> events = etcd.Store.Since(next, create.Key, create.RangeEnd);
            if (events.Count > 0 && !etcd.WatchIsMute)
            {
                next = events[^1].Kv.ModRevision + 1;
                Send(events, write);
                sent++;
            }

            if (sent < etcd.EndWatchAfter)
                await changed.WaitAsync(stop);
        }

        write.TryComplete();
    }

    private void Send(List<Event> events, ChannelWriter<WatchResponse> write)
    {
        for (int time = 0; time < (etcd.Repeat ? 2 : 1); time++)
        {
            List<Event[]> parts = [.. events.Chunk((events.Count + etcd.Fragments - 1) / etcd.Fragments)];
            for (int i = 0; i < parts.Count; i++)
                write.TryWrite(new WatchResponse { Header = etcd.Store.Header, Fragment = i < parts.Count - 1, Events = { parts[i] } });
        }
    }
}
