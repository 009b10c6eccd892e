package main

import (
	"context"
	"flag"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/gitalypb"
)

// forwardingVoter asks each voter's own service, and answers with its answer.
type forwardingVoter struct{ peers *registry }

func (v forwardingVoter) VoteTransaction(ctx context.Context, vote *gitalypb.VoteTransactionRequest) (*gitalypb.VoteTransactionResponse, error) {
	conn, err := v.peers.dialCaller(ctx)
	if err != nil {
		return nil, err
	}
	return gitalypb.NewRefTransactionClient(conn).VoteTransaction(ctx, vote)
}

// numberedVoter answers with its number in the message of a status, so that no two voters can be mistaken.
type numberedVoter struct{ number uint64 }

func (v numberedVoter) VoteTransaction(_ context.Context, vote *gitalypb.VoteTransactionRequest) (*gitalypb.VoteTransactionResponse, error) {
	return nil, status.Errorf(codes.Internal, "voter %d got %d from %s", v.number, vote.TransactionId, vote.Node)
}

// votingClients is Gitaly's own test of the backchannel: many clients of both kinds at once.
func votingClients(args []string) error {
	flags := flag.NewFlagSet("voting", flag.ExitOnError)
	connect := flags.String("connect", "", "the server's address")
	clients := flags.Int("clients", 25, "how many clients of each kind")
	calls := flags.Int("calls", 2, "calls of each client")
	flags.Parse(args)

	var group sync.WaitGroup
	results := make(chan error, *clients*2)
	for i := 1; i <= *clients; i++ {
		for _, plain := range []bool{false, true} {
			group.Add(1)
			go func(number uint64, plain bool) {
				defer group.Done()
				results <- castVotes(*connect, number, plain, *calls)
			}(uint64(i), plain)
		}
	}
	group.Wait()
	close(results)
	for err := range results {
		if err != nil {
			return err
		}
	}
	say("ok voting %d", *clients*2)
	return nil
}

func castVotes(address string, number uint64, plain bool, calls int) error {
	conn, err := dialServer(address, clientOptions{credentials: plaintext{}, plain: plain, tuned: true}, func(server *grpc.Server) {
		gitalypb.RegisterRefTransactionServer(server, numberedVoter{number})
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := 0; i < calls; i++ {
		id := number<<32 | uint64(i)
		_, err := gitalypb.NewRefTransactionClient(conn).VoteTransaction(context.Background(), &gitalypb.VoteTransactionRequest{
			TransactionId: id, Node: fmt.Sprint("node ", number), Phase: gitalypb.VoteTransactionRequest_PREPARED_PHASE,
		}, grpc.WaitForReady(true))
		want := status.Errorf(codes.Internal, "voter %d got %d from node %d", number, id, number)
		if plain {
			want = status.Error(codes.FailedPrecondition, "non-multiplexed connection")
		}
		if err := sameStatus(err, want); err != nil {
			return err
		}
	}
	return nil
}
