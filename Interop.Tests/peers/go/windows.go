package main

import "google.golang.org/grpc"

// http2Window is what messages of more than 64 KiB are moved with, and not the windows that gRPC tunes, as Gitaly has them:
// a stream that begins while this grpc-go enlarges its windows is ended for keeping to them ("unexpected EOF", once in a
// hundred times, between two Go programs too; grpc/grpc-go#5494).
const http2Window = 1 << 20

func serverWindows(tuned bool) []grpc.ServerOption {
	if tuned {
		return nil
	}
	return []grpc.ServerOption{grpc.InitialWindowSize(http2Window), grpc.InitialConnWindowSize(http2Window)}
}

func clientWindows(tuned bool) []grpc.DialOption {
	if tuned {
		return nil
	}
	return []grpc.DialOption{grpc.WithInitialWindowSize(http2Window), grpc.WithInitialConnWindowSize(http2Window)}
}
