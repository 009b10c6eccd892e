using Yamux;

namespace Backchannel;

/// <inheritdoc cref="IYamuxStreamFeature"/>
internal sealed record YamuxStreamFeature(YamuxStream Stream) : IYamuxStreamFeature;
