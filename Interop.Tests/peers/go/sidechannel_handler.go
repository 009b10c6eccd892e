package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc/metadata"
)

// openSidechannel opens what the caller of this call offers, on the caller's own session.
func openSidechannel(ctx context.Context) (*handlerConn, error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	ids := incoming.Get(sidechannelIDKey)
	if len(ids) == 0 {
		return nil, errors.New("sidechannel: the call names none")
	}
	id, _ := strconv.ParseInt(ids[len(ids)-1], 10, 64) // What is no number is 0.
	p, err := callerOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("sidechannel: %w", err)
	}
	stream, err := p.session.Open()
	if err != nil {
		return nil, fmt.Errorf("sidechannel: open: %w", err)
	}
	if err := askForSidechannel(stream, id); err != nil {
		stream.Close()
		return nil, err
	}
	return newHandlerConn(stream), nil
}

func askForSidechannel(stream net.Conn, id int64) error {
	stream.SetDeadline(time.Now().Add(sidechannelPatience))
	if _, err := io.WriteString(stream, magicSidechannel); err != nil {
		return fmt.Errorf("sidechannel %d: %w", id, err)
	}
	// In a write of its own, hence in a frame of its own.
	if err := binary.Write(stream, binary.BigEndian, id); err != nil {
		return fmt.Errorf("sidechannel %d: %w", id, err)
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

// handlerConn is the handler's end. Writing is raw, and ends with Close. What is read comes in whole packets.
type handlerConn struct {
	net.Conn
	packets *bufio.Scanner
	rest    []byte // of the packet that is being read
	err     error
}

func newHandlerConn(conn net.Conn) *handlerConn {
	packets := bufio.NewScanner(conn)
	packets.Buffer(make([]byte, maxPacketSize), maxPacketSize)
	packets.Split(splitPacket)
	return &handlerConn{Conn: conn, packets: packets}
}

func (c *handlerConn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 && c.err == nil {
		c.rest, c.err = c.next()
	}
	if len(c.rest) == 0 {
		return 0, c.err
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *handlerConn) next() ([]byte, error) {
	switch {
	case !c.packets.Scan() && c.packets.Err() != nil:
		return nil, c.packets.Err()
	case len(c.packets.Bytes()) == 0:
		// The caller has not said that this is the end.
		return nil, io.ErrUnexpectedEOF
	case c.packets.Text() == packetEnd:
		return nil, io.EOF
	}
	return c.packets.Bytes()[packetHeaderSize:], nil
}

// splitPacket waits for the whole of a packet. Its header is left on it.
func splitPacket(data []byte, atEnd bool) (int, []byte, error) {
	if atEnd && len(data) > 0 && len(data) < packetHeaderSize {
		return 0, nil, io.ErrUnexpectedEOF
	}
	if len(data) < packetHeaderSize {
		return 0, nil, nil
	}
	header := string(data[:packetHeaderSize])
	length, err := strconv.ParseUint(header, 16, 16)
	if err != nil {
		return 0, nil, err
	}
	size := int(length)
	switch {
	case header == packetEnd:
		return packetHeaderSize, data[:packetHeaderSize], nil
	case size < packetHeaderSize || size > maxPacketSize:
		return 0, nil, fmt.Errorf("sidechannel: a packet has the length %d", size)
	case size > len(data) && atEnd:
		return 0, nil, io.ErrUnexpectedEOF
	case size > len(data):
		return 0, nil, nil
	}
	return size, data[:size], nil
}
