using Xunit;
using Yamux.Tests.Kit;

namespace Backchannel.Tests;

public class PublicApiTests
{
    [Fact]
    public void The_public_face_of_Backchannel_is_the_approved_one()
        => PublicApi.AssertApproved(typeof(BackchannelHost).Assembly, "Backchannel.approved.txt");

    [Fact]
    public void The_public_face_of_the_directory_in_Redis_is_the_approved_one()
        => PublicApi.AssertApproved(typeof(StackExchangeRedis.RedisDirectoryOptions).Assembly, "StackExchangeRedis.approved.txt");

    [Fact]
    public void The_public_face_of_Sidechannel_is_the_approved_one()
        => PublicApi.AssertApproved(typeof(Sidechannel.SidechannelRegistry).Assembly, "Sidechannel.approved.txt");

    [Fact]
    public void The_public_face_of_ListenMux_is_the_approved_one()
        => PublicApi.AssertApproved(typeof(ListenMux.ListenMuxBuilder).Assembly, "ListenMux.approved.txt");
}
