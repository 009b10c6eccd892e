package main

import (
	"context"
	"crypto/sha256"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"interop/pb"
)

// farEnd is served by both ends. reverse is how its handlers call their caller, openSidechannel how they reach what the
// caller offers; only servers have it.
type farEnd struct {
	log             *callLog
	reverse         func(ctx context.Context) (pb.FarEndClient, error)
	openSidechannel func(ctx context.Context) (*handlerConn, error)
}

func newFarEnd(reverse func(ctx context.Context) (pb.FarEndClient, error)) *farEnd {
	return &farEnd{log: &callLog{calls: map[string]*loggedCall{}}, reverse: reverse}
}

func (s *farEnd) Unary(ctx context.Context, request *pb.Request) (*pb.Response, error) {
	defer s.log.begin(ctx, request.Key)()
	headers, trailers := echoedMetadata(ctx)
	grpc.SetHeader(ctx, headers)
	grpc.SetTrailer(ctx, trailers)
	if err := outcome(ctx, request); err != nil {
		return nil, err
	}
	return &pb.Response{Payload: request.Payload}, nil
}

func (s *farEnd) ServerStream(request *pb.Request, stream pb.FarEnd_ServerStreamServer) error {
	ctx := stream.Context()
	defer s.log.begin(ctx, request.Key)()
	headers, trailers := echoedMetadata(ctx)
	stream.SetHeader(headers)
	stream.SetTrailer(trailers)
	for i := int32(0); i < request.Count; i++ {
		if err := stream.Send(&pb.Response{Payload: request.Payload, Index: i}); err != nil {
			return err
		}
	}
	return outcome(ctx, request)
}

func (s *farEnd) ClientStream(stream pb.FarEnd_ClientStreamServer) error {
	digest, count := sha256.New(), int32(0)
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.Response{Index: count, Digest: digest.Sum(nil)})
		}
		if err != nil {
			return err
		}
		defer s.log.begin(stream.Context(), request.Key)()
		if err := outcome(stream.Context(), request); err != nil {
			return err
		}
		digest.Write(request.Payload)
		count++
	}
}

func (s *farEnd) Bidi(stream pb.FarEnd_BidiServer) error {
	for index := int32(0); ; index++ {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		defer s.log.begin(stream.Context(), request.Key)()
		if err := stream.Send(&pb.Response{Payload: request.Payload, Index: index}); err != nil {
			return err
		}
		if err := outcome(stream.Context(), request); err != nil {
			return err
		}
	}
}

func (s *farEnd) CallBack(ctx context.Context, request *pb.CallBackRequest) (*pb.CallBackReply, error) {
	caller, err := s.reverse(ctx)
	if err != nil {
		return nil, err
	}
	calls, err := runScenario(ctx, caller, request)
	if err != nil {
		return nil, err
	}
	return &pb.CallBackReply{Calls: calls}, nil
}

func (s *farEnd) AwaitStart(ctx context.Context, key *pb.Key) (*pb.Empty, error) {
	return &pb.Empty{}, await(ctx, s.log.get(key.Key).started)
}

func (s *farEnd) AwaitEnd(ctx context.Context, key *pb.Key) (*pb.End, error) {
	call := s.log.get(key.Key)
	if err := await(ctx, call.ended); err != nil {
		return nil, err
	}
	return &call.end, nil
}

func (s *farEnd) Identify(ctx context.Context, _ *pb.Empty) (*pb.Identity, error) {
	identity := &pb.Identity{}
	if caller, ok := peer.FromContext(ctx); ok {
		info := caller.AuthInfo
		if p, ok := info.(*backchannelPeer); ok {
			identity.Multiplexed, identity.PeerId, info = true, p.id, p.AuthInfo
		}
		if secured, ok := info.(credentials.TLSInfo); ok && len(secured.State.PeerCertificates) > 0 {
			identity.CertificateName = secured.State.PeerCertificates[0].Subject.CommonName
		}
	}
	return identity, nil
}

// outcome ends a call as its request asks.
func outcome(ctx context.Context, request *pb.Request) error {
	if request.Hang {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	if request.StatusCode != 0 {
		return status.Error(codes.Code(request.StatusCode), request.StatusMessage)
	}
	return nil
}

// echoedMetadata picks what the caller wants back as headers and as trailers.
func echoedMetadata(ctx context.Context) (headers, trailers metadata.MD) {
	headers, trailers = metadata.MD{}, metadata.MD{}
	incoming, _ := metadata.FromIncomingContext(ctx)
	for name, values := range incoming {
		if strings.HasPrefix(name, "x-header-") {
			headers[name] = values
		} else if strings.HasPrefix(name, "x-trailer-") {
			trailers[name] = values
		}
	}
	return headers, trailers
}
