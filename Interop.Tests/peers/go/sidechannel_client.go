package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/pb"
)

// sidechannelClient is Workhorse's side: it makes transfers of each mode with each size, so many at a time. With -announce
// it says when the first so many bytes have moved, and with -cancel it then cancels the call. With -stay it ends with its
// standard input.
func sidechannelClient(args []string) error {
	flags := flag.NewFlagSet("sidechannel-client", flag.ExitOnError)
	connect := flags.String("connect", "", "the server's address")
	modes := flags.String("modes", "receive,send,echo,both,ignore,fail", "what the handlers are to do")
	sizes := flags.String("sizes", "0,1,65515,65516,65517,1048576,8388608", "how many bytes in each direction that has any")
	atOnce := flags.Int("at-once", 1, "how many transfers at a time")
	announce := flags.Int64("announce", 0, "say so when that many bytes have moved")
	cancel := flags.Bool("cancel", false, "cancel the call then")
	secret := flags.String("token", "", "secret of the tokens that the calls carry")
	stay := flags.Bool("stay", false, "stay connected until standard input ends")
	files := addTLSFlags(flags)
	flags.Parse(args)

	inner, err := files.credentials()
	if err != nil {
		return err
	}
	channels := newSidechannels()
	conn, err := dialSidechannels(*connect, clientOptions{credentials: inner, secret: *secret}, channels)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := &transferClient{server: pb.NewFarEndClient(conn), channels: channels, announceAt: *announce}
	if *cancel {
		client.onAnnounce = stop
	}

	var jobs []func() error
	for _, mode := range strings.Split(*modes, ",") {
		for _, text := range strings.Split(*sizes, ",") {
			size, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			mode, seed := mode, int64(len(jobs))*2
			jobs = append(jobs, func() error {
				if err := client.transfer(ctx, mode, size, seed); err != nil {
					return fmt.Errorf("%s %d: %w", mode, size, err)
				}
				say("ok %s %d", mode, size)
				return nil
			})
		}
	}
	err = runAtOnce(jobs, *atOnce)
	switch {
	case ctx.Err() != nil && status.Code(errors.Unwrap(err)) == codes.Canceled:
		say("ok cancelled")
	case err != nil:
		return err
	default:
		say("ok all %d", len(jobs))
	}
	if *stay {
		awaitEndOfInput()
	}
	return nil
}

// dialSidechannels connects as Workhorse does: it offers sidechannels, and no services.
func dialSidechannels(address string, options clientOptions, channels *sidechannels) (*grpc.ClientConn, error) {
	options.credentials = clientHandshake{options.credentials, func(*grpc.Server) {}, channels, serverWindows(options.tuned)}
	return dialGRPC(address, options)
}

// runAtOnce returns the first failure when all have ended.
func runAtOnce(jobs []func() error, limit int) error {
	results := make(chan error, len(jobs))
	slots := make(chan struct{}, limit)
	for _, job := range jobs {
		slots <- struct{}{}
		go func(job func() error) {
			results <- job()
			<-slots
		}(job)
	}
	var failure error
	for range jobs {
		if err := <-results; failure == nil {
			failure = err
		}
	}
	return failure
}

// transferClient makes transfers.
type transferClient struct {
	server     pb.FarEndClient
	channels   *sidechannels
	announceAt int64
	onAnnounce func()
}

// transfer makes one: what the handler sends is determined by the seed, what we send by the next.
func (c *transferClient) transfer(ctx context.Context, mode string, size, seed int64) error {
	request := &pb.TransferRequest{Mode: mode, Length: size, Seed: seed}
	if mode == "fail" {
		request.Mode, request.StatusCode, request.StatusMessage = "send", int32(codes.Aborted), fmt.Sprintf("after %d bytes", size)
	}
	w := c.channels.register(func(conn *callerConn) error {
		return c.move(conn, request.Mode, size, seed)
	})
	reply, err := c.server.Transfer(w.outgoing(ctx), request, grpc.WaitForReady(true))
	callbackErr := w.close()

	if mode == "fail" {
		if err := sameStatus(err, status.Error(codes.Aborted, request.StatusMessage)); err != nil {
			return err
		}
		return callbackErr
	}
	if err != nil {
		return err
	}
	if mode == "ignore" {
		if callbackErr != errCallbackDidNotRun {
			return fmt.Errorf("the callback of a call that was to be ignored: %v", callbackErr)
		}
		return nil
	}
	if callbackErr != nil {
		return callbackErr
	}
	if mode != "send" && (reply.Received != size || !bytes.Equal(reply.Digest, patternDigest(seed+1, size))) {
		return fmt.Errorf("%d bytes arrived instead of %d, or others", reply.Received, size)
	}
	return nil
}

// move does our part of a transfer.
func (c *transferClient) move(conn *callerConn, mode string, size, seed int64) error {
	sent := make(chan error, 1)
	go func() {
		if mode == "send" {
			sent <- conn.CloseWrite()
			return
		}
		err := sendPattern(c.announcing(conn), seed+1, size)
		if err == nil {
			err = conn.CloseWrite()
		}
		sent <- err
	}()
	var err error
	switch mode {
	case "receive":
		err = expectPattern(conn, seed, 0)
	case "echo":
		err = expectPattern(conn, seed+1, size)
	case "send":
		err = expectPattern(c.announcing(conn), seed, size)
	default:
		err = expectPattern(conn, seed, size)
	}
	if sendErr := <-sent; err == nil {
		err = sendErr
	}
	return err
}

func (c *transferClient) announcing(conn *callerConn) *announcingConn {
	return &announcingConn{callerConn: conn, left: c.announceAt, announce: c.onAnnounce}
}

// announcingConn says when the first so many bytes have moved, in the direction that it is used for.
type announcingConn struct {
	*callerConn
	left     int64
	announce func()
}

func (c *announcingConn) Read(p []byte) (int, error) {
	n, err := c.callerConn.Read(p)
	c.count(n)
	return n, err
}

func (c *announcingConn) Write(p []byte) (int, error) {
	n, err := c.callerConn.Write(p)
	c.count(n)
	return n, err
}

func (c *announcingConn) count(n int) {
	if c.left <= 0 {
		return
	}
	if c.left -= int64(n); c.left > 0 {
		return
	}
	say("moved")
	if c.announce != nil {
		c.announce()
	}
}
