package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"google.golang.org/grpc"

	attachment "backchannel/v1"
	"interop/pb"
)

// agent is a client that attaches under a name (backchannel.v1.Attachment), is called by it, and moves on when its server
// drains. It ends when its standard input does, or when the server sends it away.
func agent(args []string) error {
	flags := flag.NewFlagSet("agent", flag.ExitOnError)
	connect := flags.String("connect", "", "the addresses of the servers, the first one first, HOST:PORT,HOST:PORT")
	name := flags.String("name", "", "the name to ask for")
	instance := flags.String("instance", "", "which run of the agent this is")
	files := addTLSFlags(flags)
	flags.Parse(args)

	inner, err := files.credentials()
	if err != nil {
		return err
	}
	addresses := strings.Split(*connect, ",")
	open := func() (*attached, error) {
		address := addresses[0]
		if len(addresses) > 1 {
			addresses = addresses[1:]
		}
		return attach(address, clientOptions{credentials: inner}, &attachment.AttachRequest{
			Name: *name, Instance: *instance, Labels: map[string]string{"language": "go"}, AgentVersion: "1",
		})
	}

	current, err := open()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		awaitEndOfInput()
		close(ended)
	}()
	for {
		select {
		case <-ended:
			current.leave()
			return nil
		case notice, ok := <-current.notices:
			switch told := notice.GetNotice().(type) {
			case *attachment.Notice_Draining:
				say("draining")
				next, err := open()
				if err != nil {
					return err
				}
				// Only now: there was no moment without.
				current.leave()
				current = next
			case *attachment.Notice_Detached:
				say("detached %v %d %s", told.Detached.Reason, told.Detached.RetryAfterMs, told.Detached.Detail)
				current.leave()
				return nil
			default:
				if !ok {
					return fmt.Errorf("attachment ended: %v", current.err)
				}
			}
		}
	}
}

// attached is an attachment and the connection that it is on.
type attached struct {
	conn    *grpc.ClientConn
	cancel  context.CancelFunc
	notices chan *attachment.Notice
	err     error // How the notices ended.
}

func attach(address string, options clientOptions, request *attachment.AttachRequest) (*attached, error) {
	var conn *grpc.ClientConn
	service := newFarEnd(func(context.Context) (pb.FarEndClient, error) { return pb.NewFarEndClient(conn), nil })
	conn, err := dialServer(address, options, func(server *grpc.Server) { pb.RegisterFarEndServer(server, service) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &attached{conn: conn, cancel: cancel, notices: make(chan *attachment.Notice)}
	stream, err := attachment.NewAttachmentClient(conn).Attach(ctx, request, grpc.WaitForReady(true))
	if err == nil {
		var first *attachment.Notice
		if first, err = stream.Recv(); err == nil {
			say("attached %s %d", first.GetAttached().GetName(), first.GetAttached().GetPeerId())
			go a.receive(ctx, stream)
			return a, nil
		}
	}
	a.leave()
	return nil, err
}

func (a *attached) receive(ctx context.Context, stream attachment.Attachment_AttachClient) {
	defer close(a.notices)
	for {
		notice, err := stream.Recv()
		if err != nil {
			a.err = err
			return
		}
		select {
		case a.notices <- notice:
		case <-ctx.Done():
			return
		}
	}
}

func (a *attached) leave() {
	a.cancel()
	a.conn.Close()
}
