package main

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"reflect"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"interop/pb"
)

func metadataCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	want := metadata.MD{
		"x-header-text":  {"one, two"},
		"x-header-bin":   {"\x00\x01\xfe\xff"},
		"x-trailer-text": {"three"},
		"x-trailer-bin":  {"\xff"},
	}
	var headers, trailers metadata.MD
	ctx = metadata.NewOutgoingContext(ctx, want)
	if _, err := far.Unary(ctx, &pb.Request{}, grpc.Header(&headers), grpc.Trailer(&trailers)); err != nil {
		return 0, err
	}
	if err := sameMetadata(want, headers, trailers); err != nil {
		return 0, err
	}
	// A call that fails brings its trailers too.
	_, err := far.Unary(ctx, &pb.Request{StatusCode: int32(codes.Aborted)}, grpc.Trailer(&trailers))
	if status.Code(err) != codes.Aborted {
		return 0, fmt.Errorf("metadata: %v instead of Aborted", err)
	}
	return 2, sameMetadata(want, headers, trailers)
}

func sameMetadata(want, headers, trailers metadata.MD) error {
	for name, values := range want {
		got := headers[name]
		if name[:len("x-trailer")] == "x-trailer" {
			got = trailers[name]
		}
		if !reflect.DeepEqual(got, values) {
			return fmt.Errorf("metadata: %s is %q, sent as %q", name, got, values)
		}
	}
	return nil
}

// statusCalls gets every code that there is out of every kind of call, with a message that needs escaping.
func statusCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	calls := int32(0)
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		want := status.Errorf(code, "code %d: 100%% für dich, ✓\nnew line", code)
		request := &pb.Request{StatusCode: int32(code), StatusMessage: status.Convert(want).Message(), Count: 2}
		for _, call := range kindsOfCall {
			stream, err := call(ctx, far, request)
			if err == nil {
				err = drain(stream)
			}
			if err := sameStatus(err, want); err != nil {
				return calls, err
			}
			calls++
		}
	}
	return calls, nil
}

func deadlineCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	for _, call := range kindsOfCall {
		key := newKey()
		limited, cancel := context.WithTimeout(ctx, time.Second)
		stream, err := call(limited, far, &pb.Request{Hang: true, Key: key})
		if err == nil {
			err = drain(stream)
		}
		cancel()
		if status.Code(err) != codes.DeadlineExceeded {
			return 0, fmt.Errorf("deadline: %v instead of DeadlineExceeded", err)
		}
		end, err := far.AwaitEnd(ctx, &pb.Key{Key: key})
		if err != nil {
			return 0, err
		}
		if !end.Cancelled || !end.HadDeadline {
			return 0, fmt.Errorf("deadline: the handler saw %v", end)
		}
	}
	return int32(len(kindsOfCall)), nil
}

func cancelledCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	for _, call := range kindsOfCall {
		key := newKey()
		cancellable, cancel := context.WithCancel(ctx)
		go func() {
			far.AwaitStart(ctx, &pb.Key{Key: key})
			cancel()
		}()
		stream, err := call(cancellable, far, &pb.Request{Hang: true, Key: key, Count: 1})
		if err == nil {
			err = drain(stream)
		}
		if status.Code(err) != codes.Canceled {
			return 0, fmt.Errorf("cancellation: %v instead of Canceled", err)
		}
		end, err := far.AwaitEnd(ctx, &pb.Key{Key: key})
		if err != nil {
			return 0, err
		}
		if !end.Cancelled || end.HadDeadline {
			return 0, fmt.Errorf("cancellation: the handler saw %v", end)
		}
	}
	return int32(len(kindsOfCall)), nil
}

// receiver is what is left of a call when its one request has been sent.
type receiver func() error

// kindsOfCall send one request and do not end what they send, so that only the far end decides how the call ends.
var kindsOfCall = []func(ctx context.Context, far pb.FarEndClient, request *pb.Request) (receiver, error){
	func(ctx context.Context, far pb.FarEndClient, request *pb.Request) (receiver, error) {
		return func() error { _, err := far.Unary(ctx, request); return err }, nil
	},
	func(ctx context.Context, far pb.FarEndClient, request *pb.Request) (receiver, error) {
		stream, err := far.ServerStream(ctx, request)
		return func() error { _, err := stream.Recv(); return err }, err
	},
	func(ctx context.Context, far pb.FarEndClient, request *pb.Request) (receiver, error) {
		stream, err := far.ClientStream(ctx)
		if err != nil {
			return nil, err
		}
		return func() error { return stream.RecvMsg(&pb.Response{}) }, send(stream, request)
	},
	func(ctx context.Context, far pb.FarEndClient, request *pb.Request) (receiver, error) {
		stream, err := far.Bidi(ctx)
		if err != nil {
			return nil, err
		}
		return func() error { _, err := stream.Recv(); return err }, send(stream, request)
	},
}

// drain receives to the end of the call, and returns the error that it ended with.
func drain(receive receiver) error {
	for messages := 0; ; messages++ {
		if err := receive(); err == io.EOF || err != nil {
			return err
		} else if messages > 2 {
			return fmt.Errorf("more messages than were asked for")
		}
	}
}

func sameStatus(got, want error) error {
	if g, w := status.Convert(got), status.Convert(want); g.Code() != w.Code() || g.Message() != w.Message() {
		return fmt.Errorf("status %v %q instead of %v %q", g.Code(), g.Message(), w.Code(), w.Message())
	}
	return nil
}

func newKey() string {
	return fmt.Sprintf("%016x", rand.New(rand.NewSource(time.Now().UnixNano())).Uint64())
}
