using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>RST. That nothing comes behind one of the target's is checked in every case.</summary>
internal static class ResetCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("reset.1", Must, "RST ends the stream and not the session.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.ExpectAliveAsync();
        }),
        new("reset.2", Must, "Nothing comes for a stream that was reset.", "spec: Flag Field", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
        }),
        new("reset.3", Must, "The payload of a Data frame with RST is taken off the wire.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(5000), FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.4", Must, "SYN and RST may be one frame.", "spec: Flag Field", async peer =>
        {
            await peer.SendAsync(Frame.WindowUpdate(peer.OurId(1), 0, FrameFlags.Syn | FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.5", Must, "RST right behind SYN and data is harmless.", "hashicorp/yamux#26", async peer =>
        {
            for (var number = 1u; number <= 50; number++)
            {
                var id = peer.OurId(number);
                await peer.SendAsync(Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(10)), Frame.Rst(id));
            }

            await peer.ExpectAliveAsync();
        }),
        new("reset.6", Must, "RST after our FIN ends the stream.", "spec: Flag Field", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id), Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
            await peer.ExpectAliveAsync();
        }),
        new("reset.7", Must, "FIN, data and RST after RST are passed over, and never answered.", "frames that crossed the RST on the way", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(5000)), Frame.Fin(stream.Id), Frame.Rst(stream.Id));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
            await peer.ExpectAliveAsync();
        }),
        new("reset.8", Must, "An RST is not answered by an RST.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            if (stream.RstReceived)
            {
                throw new SpecFailedException("no answer to RST", "RST");
            }
        }),
        new("reset.9", Should, "The length of a window update with RST is no credit and no fault.", "go-yamux v5 puts an error code there", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 42, FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.10", Must, "Streams that were reset make room: 1,500 of them, each after an echo, on one session.", "hashicorp/yamux#28: slots that leak", async peer =>
        {
            for (var number = 1u; number <= 1500; number++)
            {
                await peer.SendAsync(Frame.Rst((await peer.EstablishAsync(number)).Id));
            }

            await peer.ExpectAliveAsync(2000);
        }),
        new("reset.11", Must, "RST of one stream leaves a transfer on another alone.", "spec: Flag Field", async peer =>
        {
            var kept = await peer.OpenAsync();
            for (var number = 2u; number <= 20; number++)
            {
                var stream = await peer.OpenAsync(number);
                await peer.SendAsync(Frame.Data(kept.Id, TestedPeer.Pattern(3000)), Frame.Data(stream.Id, TestedPeer.Pattern(3000)), Frame.Rst(stream.Id));
            }

            await peer.FinishAsync(kept);
        }),
        ProtocolError.Case("reset.12", "SYN for a stream that was reset", "spec: StreamID Field, ids are unique", ReuseAsync)
            .In(Profile.Hashicorp, "The id of a stream that was reset can be used again.", ReuseWorksAsync)
            .In(Profile.Libp2p, "The id of a stream that was reset can be used again.", ReuseWorksAsync),
        new("reset.13", Should, "The greatest length on a window update with RST is no overflow of credit.", "go-yamux v5 puts an error code there", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue, FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.14", Must, "Streams that were reset while the target held a window of unread data make room: 1,200 of them, 100 at a time.", "hashicorp/yamux#28: slots that leak", async peer =>
        {
            await ResetUnreadAsync(peer, waves: 12);
            await peer.ExpectAliveAsync(2000);
        }),
        new SpecCase("reset.15", Should, "Nothing of 16 MiB of echo on 64 streams that were reset comes behind the answer to a ping that followed the RST.", "spec: Flag Field", peer => ExpectDroppedAsync(peer, 0))
            .In(Profile.Hashicorp, "Of 16 MiB of echo on 64 streams that were reset at most 64 KiB of each come behind the answer to a ping that followed the RST.", peer => ExpectDroppedAsync(peer, 64 << 16)),
        new("reset.16", Should, "A stream starts with the same window when 300 streams were reset while the target held data of theirs.", "windows that leak out of a session's budget", async peer =>
        {
            var window = await StartingWindowAsync(peer, 1001);
            await ResetUnreadAsync(peer, waves: 3);

            // Whoever held the data may take its time to let go of it.
            for (var attempt = 1u; await StartingWindowAsync(peer, 1001 + attempt) is var left && left < window; attempt++)
            {
                if (attempt == 100)
                {
                    throw new SpecFailedException($"a window of {window} bytes", $"{left} bytes");
                }
            }
        }),
    ];

    private static async Task ResetUnreadAsync(TestedPeer peer, uint waves)
    {
        const uint Count = 100;
        IReadOnlyList<TestedStream> last = [];
        for (var wave = 0u; wave < waves; wave++)
        {
            var streams = await peer.FillUnreadAsync(1 + (wave * Count), Count);
            await peer.SendAsync([.. streams.Select(stream => Frame.Rst(stream.Id))]);
            peer.Connection.ResumeReading();
            await peer.SettleAsync();

            // What we remember of their bytes would be hundreds of megabytes. Of those before these nothing can be on its way any more.
            foreach (var stream in last)
            {
                peer.Forget(stream);
            }

            last = streams;
        }
    }

    private static async Task ExpectDroppedAsync(TestedPeer peer, long allowed)
    {
        var streams = await peer.FillUnreadAsync(1, 64);
        await peer.SendAsync([.. streams.Select(stream => Frame.Rst(stream.Id)), Frame.Ping(1)]);
        peer.Connection.ResumeReading();
        await peer.UntilAsync("a pong", () => peer.Pongs == 1);
        var before = streams.Sum(stream => stream.Received);
        await peer.SettleAsync();
        var late = streams.Sum(stream => stream.Received) - before;
        if (late > allowed)
        {
            throw new SpecFailedException($"at most {allowed} bytes behind the pong", $"{late} bytes");
        }
    }

    private static async Task<long> StartingWindowAsync(TestedPeer peer, uint number)
    {
        var stream = await peer.EstablishAsync(number);
        await peer.SettleAsync();
        await peer.SendAsync(Frame.Rst(stream.Id));
        return stream.HighestSendCredit;
    }

    private static async Task ReuseAsync(TestedPeer peer)
    {
        var stream = await peer.EstablishAsync();
        await peer.SendAsync(Frame.Rst(stream.Id));
        await peer.SettleAsync();
        await peer.SendAsync(Frame.Syn(stream.Id));
    }

    private static async Task ReuseWorksAsync(TestedPeer peer)
    {
        var stream = await peer.EstablishAsync();
        await peer.SendAsync(Frame.Rst(stream.Id));
        await peer.SettleAsync();
        peer.Forget(stream);
        await peer.EstablishAsync();
    }
}
