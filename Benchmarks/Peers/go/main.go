// Both ends of the benchmark with hashicorp/yamux: the wire and the output of the commands serve and run of the .NET program, and of their options what compare uses.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type settings struct {
	window        int
	tls           bool
	quick         bool
	mib           int64
	seconds, warm float64
	streams       int
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || args[0] == "run" && len(args) < 2 {
		return fmt.Errorf("usage: serve --listen HOST:PORT, or run ID --connect HOST:PORT")
	}
	var s settings
	command, rest := args[0], args[1:]
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	flags.IntVar(&s.window, "window", 0, "the receive window of each stream, in bytes")
	flags.BoolVar(&s.tls, "tls", false, "encrypt the connections")
	switch command {
	case "serve":
		listen := flags.String("listen", "", "where to listen")
		whileInput := flags.Bool("while-input", false, "end with the standard input")
		flags.Parse(rest)
		return serve(*listen, s, *whileInput)
	case "run":
		id := rest[0]
		connect := flags.String("connect", "", "where the server listens")
		flags.BoolVar(&s.quick, "quick", false, "measure less")
		flags.Int64Var(&s.mib, "mib", 0, "total of the bulk loads")
		flags.Float64Var(&s.seconds, "seconds", 0, "how long the others are measured")
		flags.Float64Var(&s.warm, "warm-up", -1, "how long those run before that")
		flags.IntVar(&s.streams, "streams", 0, "how many streams are idle")
		flags.Parse(rest[1:])
		return runLoad(id, *connect, s)
	}
	return fmt.Errorf("%s: must be serve or run", command)
}

func (s settings) times() (warm, measured time.Duration) {
	seconds, warmUp := 0.8, 0.5
	if s.quick {
		seconds, warmUp = 0.12, 0.12
	}
	if s.seconds > 0 {
		seconds = s.seconds
	}
	if s.warm >= 0 {
		warmUp = s.warm
	}
	return time.Duration(warmUp * float64(time.Second)), time.Duration(seconds * float64(time.Second))
}
