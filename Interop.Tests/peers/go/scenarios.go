package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/pb"
)

// messageSizes are the payloads that every kind of call carries.
var messageSizes = []int{0, 1, 64 << 10, 3 << 20}

// scenario makes calls and returns how many, or the first thing that was not as it should be.
type scenario func(ctx context.Context, far pb.FarEndClient) (int32, error)

var scenarios = map[string]scenario{
	"unary":            unaryCalls,
	"server-streaming": serverStreamingCalls,
	"client-streaming": clientStreamingCalls,
	"bidirectional":    bidirectionalCalls,
	"mixed":            mixedCalls,
	"metadata":         metadataCalls,
	"statuses":         statusCalls,
	"deadlines":        deadlineCalls,
	"cancellation":     cancelledCalls,
}

func runScenario(ctx context.Context, far pb.FarEndClient, request *pb.CallBackRequest) (int32, error) {
	switch request.Scenario {
	case "hang":
		_, err := far.Unary(ctx, &pb.Request{Hang: true, Key: request.Key})
		return 1, err
	case "nested":
		if request.Depth == 0 {
			return unaryCalls(ctx, far)
		}
		reply, err := far.CallBack(ctx, &pb.CallBackRequest{Scenario: "nested", Depth: request.Depth - 1})
		return reply.GetCalls() + 1, err
	}
	run := scenarios[request.Scenario]
	if run == nil {
		return 0, status.Errorf(codes.Unimplemented, "no scenario %q", request.Scenario)
	}
	return run(ctx, far)
}

// mixedCalls has all kinds under way at once on the one connection.
func mixedCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	kinds := []scenario{unaryCalls, serverStreamingCalls, clientStreamingCalls, bidirectionalCalls}
	type result struct {
		calls int32
		err   error
	}
	results := make(chan result, len(kinds))
	for _, kind := range kinds {
		go func(kind scenario) {
			calls, err := kind(ctx, far)
			results <- result{calls, err}
		}(kind)
	}
	total, failure := int32(0), error(nil)
	for range kinds {
		r := <-results
		total += r.calls
		if r.err != nil {
			failure = r.err
		}
	}
	return total, failure
}

func unaryCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	for _, size := range messageSizes {
		payload := randomBytes(size)
		reply, err := far.Unary(ctx, &pb.Request{Payload: payload})
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(reply.Payload, payload) {
			return 0, fmt.Errorf("unary: %d bytes came back changed", size)
		}
	}
	return int32(len(messageSizes)), nil
}

func serverStreamingCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	for _, size := range messageSizes {
		payload := randomBytes(size)
		stream, err := far.ServerStream(ctx, &pb.Request{Payload: payload, Count: 3})
		if err != nil {
			return 0, err
		}
		for i := int32(0); i < 3; i++ {
			if err := expectResponse(stream.Recv, payload, i); err != nil {
				return 0, err
			}
		}
		if _, err := stream.Recv(); err != io.EOF {
			return 0, fmt.Errorf("server streaming: %v instead of the end", err)
		}
	}
	return int32(len(messageSizes)), nil
}

func clientStreamingCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	stream, err := far.ClientStream(ctx)
	if err != nil {
		return 0, err
	}
	digest := sha256.New()
	for _, size := range messageSizes {
		payload := randomBytes(size)
		digest.Write(payload)
		if err := send(stream, &pb.Request{Payload: payload}); err != nil {
			return 0, err
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return 0, err
	}
	if int(reply.Index) != len(messageSizes) || !bytes.Equal(reply.Digest, digest.Sum(nil)) {
		return 0, fmt.Errorf("client streaming: %d messages came, or others than were sent", reply.Index)
	}
	return 1, nil
}

func bidirectionalCalls(ctx context.Context, far pb.FarEndClient) (int32, error) {
	stream, err := far.Bidi(ctx)
	if err != nil {
		return 0, err
	}
	for i, size := range messageSizes {
		payload := randomBytes(size)
		if err := send(stream, &pb.Request{Payload: payload}); err != nil {
			return 0, err
		}
		if err := expectResponse(stream.Recv, payload, int32(i)); err != nil {
			return 0, err
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(); err != io.EOF {
		return 0, fmt.Errorf("bidirectional: %v instead of the end", err)
	}
	return 1, nil
}

// send sends one message of a call. In grpc-go io.EOF says no more than that the call has ended: the status comes from
// receiving.
func send(stream grpc.ClientStream, request *pb.Request) error {
	err := stream.SendMsg(request)
	if err == io.EOF {
		err = stream.RecvMsg(&pb.Response{})
	}
	return err
}

func expectResponse(receive func() (*pb.Response, error), payload []byte, index int32) error {
	reply, err := receive()
	if err != nil {
		return err
	}
	if reply.Index != index || !bytes.Equal(reply.Payload, payload) {
		return fmt.Errorf("message %d of %d bytes came back changed", index, len(payload))
	}
	return nil
}

func randomBytes(size int) []byte {
	payload := make([]byte, size)
	rand.New(rand.NewSource(time.Now().UnixNano())).Read(payload)
	return payload
}
