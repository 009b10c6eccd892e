using Gitaly;
using Grpc.Core;
using State = Gitaly.VoteTransactionResponse.Types.TransactionState;

namespace Voting;

/// <summary>What comes back for a vote, a state or an error: written as <c>commit</c>, or as <c>error:Internal:disk full</c>.</summary>
internal sealed record Answer(StatusCode Code, string Text, State State)
{
    public static Answer Commit { get; } = Of(State.Commit);

    public static Answer Of(State state) => new(StatusCode.OK, "", state);

    public static Answer Of(Status error) => new(error.StatusCode, error.Detail, default);

    /// <exception cref="FormatException">The text is no answer; the message tells what is allowed.</exception>
    public static Answer Parse(string text) => text.Split(':', 3) switch
    {
        ["commit"] => Of(State.Commit),
        ["abort"] => Of(State.Abort),
        ["stop"] => Of(State.Stop),
        ["error", var code, var detail] => new(ParseCode(code), detail, default),
        _ => throw new FormatException("must be commit, abort, stop or error:CODE:TEXT, such as error:Internal:disk full."),
    };

    /// <summary>The response of a service that answers so.</summary>
    /// <exception cref="RpcException">The answer is an error.</exception>
    public VoteTransactionResponse ToResponse()
        => Code == StatusCode.OK ? new VoteTransactionResponse { State = State } : throw new RpcException(new Status(Code, Text));

    public override string ToString()
        => Code == StatusCode.OK ? State.ToString().ToLowerInvariant() : $"error:{Code}:{Text.ReplaceLineEndings(" ")}";

    private static StatusCode ParseCode(string text)
    {
        var codes = Enum.GetValues<StatusCode>().Where(code => code != StatusCode.OK).ToList();
        var index = codes.FindIndex(code => code.ToString().Equals(text, StringComparison.OrdinalIgnoreCase));
        return index >= 0 ? codes[index] : throw new FormatException($"the error's code must be one of {string.Join(", ", codes)}.");
    }
}
