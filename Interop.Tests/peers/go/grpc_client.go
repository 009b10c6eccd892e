package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"interop/pb"
)

// grpcClient is Praefect's side, or with -plain a client that knows nothing of backchannels. It makes the calls of
// one scenario, has the server make those of another, or both at once; or it hangs in both directions until killed;
// or it waits to be called.
func grpcClient(args []string) error {
	flags := flag.NewFlagSet("grpc-client", flag.ExitOnError)
	connect := flags.String("connect", "", "the server's address, HOST:PORT or unix:PATH")
	plain := flags.Bool("plain", false, "do not multiplex")
	forward := flags.String("scenario", "", "scenario to run against the server")
	backward := flags.String("callback", "", "scenario that the server is to run against us")
	depth := flags.Int("depth", 0, "depth of scenario nested")
	key := flags.String("call-key", "", "key of scenario hang")
	repeat := flags.Int("repeat", 1, "how many of each to run at once")
	cancel := flags.Bool("cancel", false, "cancel a callback once it has reached us, and expect it to end here too")
	serve := flags.Bool("serve", false, "stay connected until standard input ends")
	files := addTLSFlags(flags)
	flags.Parse(args)

	inner, err := files.credentials()
	if err != nil {
		return err
	}
	var conn *grpc.ClientConn
	service := newFarEnd(func(context.Context) (pb.FarEndClient, error) { return pb.NewFarEndClient(conn), nil })
	conn, err = dialServer(*connect, clientOptions{credentials: inner, plain: *plain}, func(server *grpc.Server) {
		pb.RegisterFarEndServer(server, service)
	})
	if err != nil {
		return err
	}
	defer conn.Close()

	ctx, server := context.Background(), pb.NewFarEndClient(conn)
	identity, err := server.Identify(ctx, &pb.Empty{}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	say("peer %d %s", identity.PeerId, identity.CertificateName)

	results, pending := make(chan error), 0
	start := func(run func() (int32, error), direction, scenario string) {
		for i := 0; scenario != "" && i < *repeat; i++ {
			pending++
			go func() {
				calls, err := run()
				if err == nil {
					say("ok %s %s %d", direction, scenario, calls)
				} else {
					err = fmt.Errorf("%s %s: %w", direction, scenario, err)
				}
				results <- err
			}()
		}
	}
	start(func() (int32, error) {
		return runScenario(ctx, server, &pb.CallBackRequest{Scenario: *forward, Depth: int32(*depth), Key: *key + "-forward"})
	}, "forward", *forward)
	start(func() (int32, error) {
		reply, err := server.CallBack(ctx, &pb.CallBackRequest{Scenario: *backward, Depth: int32(*depth), Key: *key + "-backward"})
		return reply.GetCalls(), err
	}, "backward", *backward)
	if *cancel {
		if err := cancelRelayedCall(server, service.log, *key); err != nil {
			return err
		}
		say("ok cancel")
	}
	for ; pending > 0; pending-- {
		if err := <-results; err != nil {
			return err
		}
	}
	if *serve {
		awaitEndOfInput()
	}
	return nil
}

// cancelRelayedCall has the server make a call to us that does not end, cancels its own, and expects both to end.
func cancelRelayedCall(server pb.FarEndClient, log *callLog, key string) error {
	ctx, cancel := context.WithCancel(context.Background())
	call := log.get(key)
	go func() {
		<-call.started
		cancel()
	}()
	if _, err := server.CallBack(ctx, &pb.CallBackRequest{Scenario: "hang", Key: key}); status.Code(err) != codes.Canceled {
		return fmt.Errorf("cancelled callback: %v", err)
	}
	<-call.ended
	if !call.end.Cancelled {
		return fmt.Errorf("cancelled callback: our handler was not cancelled")
	}
	return nil
}

// clientOptions are what the kinds of client differ in.
type clientOptions struct {
	credentials credentials.TransportCredentials
	plain       bool // Knows nothing of backchannels.
	tuned       bool // Lets gRPC tune its windows.
	secret      string
}

// dialServer connects as Praefect does, or plainly.
func dialServer(address string, options clientOptions, register func(*grpc.Server)) (*grpc.ClientConn, error) {
	if !options.plain {
		options.credentials = clientHandshake{options.credentials, register, newSidechannels(), serverWindows(options.tuned)}
	}
	return dialGRPC(address, options)
}

// dialGRPC has the options of Gitaly's client, which Praefect, Workhorse and gitlab-shell share.
func dialGRPC(address string, options clientOptions) (*grpc.ClientConn, error) {
	dialOptions := append(clientWindows(options.tuned),
		grpc.WithTransportCredentials(options.credentials),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, PermitWithoutStream: true}),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	if options.secret != "" {
		dialOptions = append(dialOptions, grpc.WithPerRPCCredentials(tokenCredentials(options.secret)))
	}
	if strings.HasPrefix(address, unixScheme) {
		dialOptions = append(dialOptions, grpc.WithContextDialer(dialUnix))
	}
	return grpc.Dial(address, dialOptions...)
}
