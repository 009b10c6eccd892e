using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>Makes a connection, whose ends have these faults.</summary>
internal delegate Task<(IFaultyEnd Client, IFaultyEnd Server)> FaultyConnect(TransportFault? clientFault, TransportFault? serverFault);
