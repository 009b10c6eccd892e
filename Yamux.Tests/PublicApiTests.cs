namespace Yamux.Tests;

public class PublicApiTests
{
    [Fact]
    public void The_public_face_of_Yamux_is_the_approved_one()
        => PublicApi.AssertApproved(typeof(YamuxSession).Assembly, "PublicApi.approved.txt");
}
