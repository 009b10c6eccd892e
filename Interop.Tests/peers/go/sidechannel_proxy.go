package main

import (
	"context"
	"io"

	"interop/pb"
)

// transferProxy is Praefect's part: it hands transfers on to another server, with a sidechannel of its own.
type transferProxy struct {
	pb.FarEndServer
	callers  *registry
	channels *sidechannels
	onwards  pb.FarEndClient
}

func (p transferProxy) Transfer(ctx context.Context, request *pb.TransferRequest) (*pb.TransferReply, error) {
	w := p.channels.register(func(handler callerConn) error {
		caller, err := p.callers.openSidechannel(ctx)
		if err != nil {
			return err
		}
		defer caller.Close()
		toHandler := make(chan error, 1)
		go func() {
			_, err := io.Copy(handler, caller)
			if err == nil {
				err = handler.CloseWrite()
			} else {
				handler.Close() // Without the end, so that the handler takes what it got for no whole.
			}
			toHandler <- err
		}()
		if _, err := io.Copy(caller, handler); err != nil {
			return err
		}
		return <-toHandler
	})
	reply, err := p.onwards.Transfer(w.outgoing(ctx), request)

	// The status may not overtake the last bytes.
	if copyErr := w.close(); err == nil && copyErr != errCallbackDidNotRun {
		err = copyErr
	}
	return reply, err
}
