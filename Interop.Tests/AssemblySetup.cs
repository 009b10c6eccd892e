using Interop.Tests.Support;

[assembly: AssemblyFixture(typeof(GoPeerBinary))]
[assembly: AssemblyFixture(typeof(NodePeerPackage))]
