using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Opening streams, and the ids that they have.</summary>
internal static class OpenCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("open.1", Must, "SYN on a window update opens a stream.", "spec: Opening a stream", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
        }),
        new("open.2", Must, "SYN on a Data frame opens a stream, and the payload belongs to it.", "spec: Opening a stream", async peer =>
        {
            await peer.SendAsync(Frame.Data(peer.OurId(1), TestedPeer.Pattern(100), FrameFlags.Syn));
            await peer.ExpectEchoAsync(peer.Stream(peer.OurId(1)));
        }),
        new("open.3", Must, "Data may follow SYN at once, before the ACK.", "spec: Opening a stream; hashicorp/yamux", async peer =>
        {
            var id = peer.OurId(1);
            await peer.SendAsync(Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(50)), Frame.Data(id, TestedPeer.Pattern(70)));
            await peer.ExpectEchoAsync(peer.Stream(id));
        }),
        new("open.4", Must, "Streams are independent of each other.", "spec: Overview", async peer =>
        {
            for (var number = 1u; number <= 10; number++)
            {
                await peer.OpenAsync(number);
            }

            for (var round = 0; round < 5; round++)
            {
                await peer.SendAsync([.. peer.Streams.Select(stream => Frame.Data(stream.Id, TestedPeer.Pattern(333, (int)stream.Id)))]);
            }

            foreach (var stream in peer.Streams)
            {
                await peer.FinishAsync(stream);
            }
        }),
        new("open.5", Must, "Ids may have gaps.", "spec: StreamID Field", async peer =>
        {
            foreach (var number in new[] { 1u, 2u, 50u, 100_000u })
            {
                await peer.EchoAsync(await peer.OpenAsync(number), TestedPeer.Pattern(10));
            }
        }),
        new("open.6", Should, "Ids may arrive out of order.", "hashicorp/yamux: concurrent opens take an id and send SYN in two steps", async peer =>
        {
            foreach (var number in new[] { 3u, 1u, 4u, 2u })
            {
                await peer.EchoAsync(await peer.OpenAsync(number), TestedPeer.Pattern(10));
            }
        }),
        new("open.7", Must, "The highest id of all works.", "spec: StreamID Field", async peer =>
        {
            await peer.EchoAsync(await peer.OpenAsync(HighestNumber(peer)), TestedPeer.Pattern(10));
        }),
        ProtocolError.Case("open.8", "SYN with an id of the target's own parity", "spec: StreamID Field", peer => peer.SendAsync(Frame.Syn(peer.TheirId(1)))),
        ProtocolError.Case("open.9", "SYN with id 0", "spec: StreamID Field", peer => peer.SendAsync(Frame.Syn(0))),
        ProtocolError.Case("open.10", "SYN for a stream that is open", "hashicorp/yamux: ErrDuplicateStream", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Syn(stream.Id));
        }),
        ProtocolError.Case("open.11", "SYN on Data for a stream that is open", "hashicorp/yamux: ErrDuplicateStream", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(10), FrameFlags.Syn));
        }),
        ProtocolError.Case("open.12", "SYN for a stream that was open and is closed", "spec: StreamID Field, ids are unique", ReuseAsync)
            .In(Profile.Hashicorp, "The id of a closed stream can be used again.", ReuseWorksAsync)
            .In(Profile.Libp2p, "The id of a closed stream can be used again.", ReuseWorksAsync),
        new("open.13", Must, "The delta of SYN is credit on top of the initial 262144 bytes.", "hashicorp/yamux: MaxStreamWindowSize", async peer =>
        {
            const uint Delta = 100_000;
            await CreditCases.ExpectStopAsync(peer, await peer.OpenAsync(1, Delta), Frame.InitialWindow + Delta);
        }),
        new("open.14", Must, "200 streams that are opened together are all served.", "hashicorp/yamux: AcceptBacklog is 256", async peer =>
        {
            await peer.SendAsync([.. Enumerable.Range(1, 200).Select(number => Frame.Syn(peer.OurId((uint)number)))]);
            foreach (var stream in peer.Streams)
            {
                await peer.EchoAsync(stream, TestedPeer.Pattern(10, (int)stream.Id));
            }
        }),
        new("open.15", Must, "A closed stream makes room: 3,000 streams, one after the other, on one session.", "spec: Closing a stream", async peer =>
        {
            for (var number = 1u; number <= 3000; number++)
            {
                var id = peer.OurId(number);
                await peer.SendAsync(Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(3)), Frame.Fin(id));
                await peer.ExpectEchoAndFinAsync(peer.Stream(id));
            }
        }),
        new("open.16", Must, "Ids may jump: 200 streams, each 8,192 ids or more above the one before, up to the highest of all.", "spec: StreamID Field", async peer =>
        {
            const uint Near = 4096;
            var far = HighestNumber(peer) / 100;
            var numbers = Enumerable.Range(1, 100).Select(index => (uint)index * Near).Concat(Enumerable.Range(1, 99).Select(index => (uint)index * far));
            foreach (var number in numbers.Append(HighestNumber(peer)))
            {
                var stream = await peer.OpenAsync(number);
                await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(10)));
                await peer.FinishAsync(stream);
            }
        }),
    ];

    private static uint HighestNumber(TestedPeer peer) => peer.OurId(1) == 1 ? 0x80000000 : 0x7FFFFFFF;

    private static async Task ReuseAsync(TestedPeer peer)
    {
        var stream = await peer.OpenAsync();
        await peer.FinishAsync(stream);
        await peer.SettleAsync();
        await peer.SendAsync(Frame.Syn(stream.Id));
    }

    private static async Task ReuseWorksAsync(TestedPeer peer)
    {
        var stream = await peer.OpenAsync();
        await peer.FinishAsync(stream);
        await peer.SettleAsync();
        peer.Forget(stream);
        await peer.EchoAsync(await peer.OpenAsync(), TestedPeer.Pattern(10));
    }
}
