// The far ends of the interop tests: Gitaly's handshake, its sidechannel and raw yamux, on hashicorp/yamux and grpc-go.
//
// A server prints "listening on HOST:PORT", or a Unix socket's unix:PATH, when it is ready. Results are one line each on standard output; the exit
// code is 0 when all went as it should, 1 when something did not, 2 for wrong usage. A program that waits for others
// ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"os"
	"sync"
)

var commands = map[string]func(args []string) error{
	"agent":              agent,
	"check":              func([]string) error { return nil },
	"conformance":        conformance,
	"grpc-client":        grpcClient,
	"grpc-server":        grpcServer,
	"sidechannel-client": sidechannelClient,
	"token":              token,
	"voting":             votingClients,
	"yamux":              rawYamux,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: peer agent|check|conformance|grpc-client|grpc-server|sidechannel-client|token|voting|yamux [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		say("fail: %v", err)
		os.Exit(1)
	}
}

var sayLock sync.Mutex

// say prints one result line, whole even when many goroutines print.
func say(format string, args ...interface{}) {
	sayLock.Lock()
	defer sayLock.Unlock()
	fmt.Printf(format+"\n", args...)
}

// awaitEndOfInput returns when the parent closes our standard input, or dies.
func awaitEndOfInput() {
	io.Copy(io.Discard, os.Stdin)
}
