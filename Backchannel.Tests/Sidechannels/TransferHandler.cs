using Backchannel.Tests.Grpc;
using Grpc.Core;

namespace Backchannel.Tests.Sidechannels;

/// <summary>What a test has its handler do.</summary>
internal delegate Task<Done> TransferHandler(Job job, ServerCallContext context);
