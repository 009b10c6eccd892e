using Interop.Tests.Support;

[assembly: AssemblyFixture(typeof(GoPeerBinary))]
