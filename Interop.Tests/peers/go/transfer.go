package main

import (
	"context"
	"crypto/sha256"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/pb"
)

// Transfer moves bytes through the caller's sidechannel.
func (s *farEnd) Transfer(ctx context.Context, request *pb.TransferRequest) (*pb.TransferReply, error) {
	defer s.log.begin(ctx, request.Key)()
	reply := &pb.TransferReply{}
	if request.Mode != "ignore" {
		if err := s.transfer(ctx, request, reply); err != nil {
			say("transfer ended: %v", err)
			return nil, err
		}
	}
	if request.StatusCode != 0 {
		return nil, status.Error(codes.Code(request.StatusCode), request.StatusMessage)
	}
	return reply, nil
}

func (s *farEnd) transfer(ctx context.Context, request *pb.TransferRequest, reply *pb.TransferReply) error {
	if s.openSidechannel == nil {
		return status.Error(codes.Unimplemented, "the server offers no sidechannels to its clients")
	}
	conn, err := s.openSidechannel(ctx)
	if err != nil {
		return err
	}
	// What is still to be read or written when the call is cancelled fails then.
	defer closeWhenDone(ctx, conn)()

	switch request.Mode {
	case "receive":
		return receive(conn, reply)
	case "send":
		return sendPattern(conn, request.Seed, request.Length)
	case "echo":
		return receive(echoing{conn}, reply)
	case "both":
		sent := make(chan error, 1)
		go func() { sent <- sendPattern(conn, request.Seed, request.Length) }()
		err := receive(conn, reply)
		if sendErr := <-sent; err == nil {
			err = sendErr
		}
		return err
	}
	return status.Errorf(codes.Unimplemented, "no transfer %q", request.Mode)
}

// receive reads to the end.
func receive(from io.Reader, reply *pb.TransferReply) error {
	digest := sha256.New()
	n, err := io.Copy(digest, from)
	reply.Received, reply.Digest = n, digest.Sum(nil)
	return err
}

// echoing sends back what is read from it.
type echoing struct{ io.ReadWriter }

func (e echoing) Read(p []byte) (int, error) {
	return io.TeeReader(e.ReadWriter, e.ReadWriter).Read(p)
}

// closeWhenDone closes when the context ends, and at the latest when what it returns is called.
func closeWhenDone(ctx context.Context, conn io.Closer) func() {
	finished := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			conn.Close()
		case <-finished:
		}
	}()
	return func() {
		close(finished)
		conn.Close()
	}
}
