package main

import (
	"context"
	"io"

	"google.golang.org/grpc/metadata"

	"interop/pb"
)

// transferProxy is Praefect's part: it hands transfers on to another server, with a sidechannel of its own.
type transferProxy struct {
	pb.FarEndServer
	channels *sidechannels
	onwards  pb.FarEndClient
}

// Transfer passes the metadata of the caller on. So the handler gets two ids of sidechannels, of which the last is ours.
func (p transferProxy) Transfer(ctx context.Context, request *pb.TransferRequest) (*pb.TransferReply, error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	outgoing := metadata.NewOutgoingContext(ctx, incoming)
	if len(incoming.Get(sidechannelIDKey)) == 0 {
		return p.onwards.Transfer(outgoing, request)
	}
	w := p.channels.register(func(handler *callerConn) error { return copyBothWays(ctx, handler) })
	defer w.close()
	reply, err := p.onwards.Transfer(w.outgoing(outgoing), request)
	if err != nil {
		return nil, err
	}
	// The status may not overtake the last bytes.
	if err := w.close(); err != nil && err != errCallbackDidNotRun {
		return nil, err
	}
	return reply, nil
}

// copyBothWays ends when the handler has, or with the first failure of either direction.
func copyBothWays(ctx context.Context, handler *callerConn) error {
	caller, err := openSidechannel(ctx)
	if err != nil {
		return err
	}
	defer caller.Close()
	toHandler, toCaller := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := io.Copy(handler, caller)
		if err == nil {
			err = handler.CloseWrite()
		}
		toHandler <- err
	}()
	go func() {
		_, err := io.Copy(caller, handler)
		toCaller <- err
	}()
	for {
		select {
		case err := <-toCaller:
			if err != nil {
				return err
			}
			return caller.Close()
		case err := <-toHandler:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
