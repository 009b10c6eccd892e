using Interop.Tests.Support;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(GoPeerBinary))]
[assembly: AssemblyFixture(typeof(NodePeerPackage))]

// Mostly the tests wait: for another process, or for the timers of one, which the conformance runs wait out for minutes.
[assembly: Parallelization(MaxThreads = 6)]
