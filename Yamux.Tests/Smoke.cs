namespace Yamux.Tests;

public class Smoke
{
    [Xunit.Fact]
    public void Ok()
    {
    }

    [Xunit.Fact]
    public void Skipped() => Xunit.Assert.Skip("why not");
}
