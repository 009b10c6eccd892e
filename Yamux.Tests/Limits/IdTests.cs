namespace Yamux.Tests.Limits;

/// <summary>Stream ids are used up after 2³¹ streams; a new session is needed then.</summary>
public class IdTests
{
    [Theory]
    [InlineData(YamuxRole.Client, 0xFFFF_FFFDu)]
    [InlineData(YamuxRole.Server, 0xFFFF_FFFCu)]
    public async Task After_the_last_id_opening_fails_and_what_runs_goes_on(YamuxRole role, uint last)
    {
        await using var t = role == YamuxRole.Client ? Scenario.Client() : Scenario.Server();
        t.Session.SetNextStreamId(last);

        var stream = await t.OpenAsync();
        Assert.Equal(last, stream.Id);
        for (var i = 0; i < 300; i++)
        {
            await Guard.FailsWithAsync(YamuxErrorCode.StreamsExhausted, t.Session.OpenStreamAsync());
        }

        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(last, [1]));
        await t.AcceptAsync(role == YamuxRole.Client ? 2u : 1u);
    }
}
