package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// openSidechannel opens what the caller of this call offers, on the caller's own session.
func (r *registry) openSidechannel(ctx context.Context) (*handlerConn, error) {
	p, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	incoming, _ := metadata.FromIncomingContext(ctx)
	ids := incoming.Get(sidechannelIDKey)
	if len(ids) == 0 {
		return nil, status.Error(codes.FailedPrecondition, "the call offers no sidechannel")
	}
	id, err := strconv.ParseInt(ids[len(ids)-1], 10, 64)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	stream, err := p.session.Open()
	if err != nil {
		return nil, err
	}
	if err := askForSidechannel(stream, id); err != nil {
		stream.Close()
		return nil, err
	}
	return &handlerConn{Conn: stream}, nil
}

func askForSidechannel(stream net.Conn, id int64) error {
	stream.SetDeadline(time.Now().Add(sidechannelPatience))
	hello := make([]byte, magicSize+8)
	copy(hello, magicSidechannel)
	binary.BigEndian.PutUint64(hello[magicSize:], uint64(id))
	if _, err := stream.Write(hello); err != nil {
		return err
	}
	answer := make([]byte, len(sidechannelAccepted))
	if _, err := io.ReadFull(stream, answer); err != nil {
		return fmt.Errorf("sidechannel %d was not accepted: %w", id, err)
	}
	if string(answer) != sidechannelAccepted {
		return fmt.Errorf("sidechannel %d was answered with %q", id, answer)
	}
	return stream.SetDeadline(time.Time{})
}

// handlerConn is the handler's end. Writing is raw, and ends with Close.
type handlerConn struct {
	net.Conn
	left  int // of the packet that is being read
	ended bool
}

func (c *handlerConn) Read(p []byte) (int, error) {
	for c.left == 0 {
		if c.ended {
			return 0, io.EOF
		}
		if err := c.readHeader(); err != nil {
			return 0, err
		}
	}
	if len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, tooEarly(err)
}

func (c *handlerConn) readHeader() error {
	header := make([]byte, packetHeaderSize)
	if _, err := io.ReadFull(c.Conn, header); err != nil {
		return tooEarly(err)
	}
	length, err := strconv.ParseUint(string(header), 16, 16)
	if err != nil {
		return err
	}
	if length > 0 && length < packetHeaderSize {
		return fmt.Errorf("sidechannel: a packet has the length %d", length)
	}
	if length == 0 {
		c.ended = true
	} else {
		c.left = int(length) - packetHeaderSize
	}
	return nil
}

// tooEarly is what the end of the stream means where the caller has not said that it is one.
func tooEarly(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
