package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/yamux"
)

func runLoad(id, address string, s settings) error {
	session, err := s.connect(address)
	if err != nil {
		return err
	}
	switch id {
	case "bulk1":
		return bulk(session, id, s, 1, 64<<10, 2048)
	case "bulk16":
		return bulk(session, id, s, 16, 64<<10, 2048)
	case "small":
		return bulk(session, id, s, 1, 1<<10, 256)
	case "echo1":
		return ping(session, id, s, 1)
	case "echo64":
		return ping(session, id, s, 64)
	case "open1":
		return open(session, id, s, 1)
	case "open32":
		return open(session, id, s, 32)
	case "idle":
		return idle(session, id, s)
	case "bdp":
		return sustain(session, id, s)
	}
	return fmt.Errorf("%s: must be bulk1, bulk16, small, echo1, echo64, open1, open32, idle or bdp", id)
}

func report(name string, value float64, unit string) {
	fmt.Printf("%s %.4f %s\n", name, value, unit)
}

// each runs something for each stream at once, and returns the first error.
func each(count int, action func(i int) error) error {
	results := make(chan error, count)
	for i := 0; i < count; i++ {
		go func(i int) { results <- action(i) }(i)
	}
	for i := 0; i < count; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func openAll(session *yamux.Session, count int) ([]*yamux.Stream, error) {
	streams := make([]*yamux.Stream, count)
	for i := range streams {
		stream, err := session.OpenStream()
		if err != nil {
			return nil, err
		}
		streams[i] = stream
	}
	return streams, nil
}

// timed repeats something in each of its workers, and reports how often and how long; what ends during the warm-up does not count.
func timed(id string, s settings, workers int, action func(worker int) error) error {
	warm, measured := s.times()
	begin := time.Now().Add(warm)
	end := begin.Add(measured)
	latencies := make([][]time.Duration, workers)
	late := make([]lateAction, workers)
	err := each(workers, func(worker int) error {
		for last := time.Now(); ; {
			if err := action(worker); err != nil {
				return err
			}
			now := time.Now()
			if !now.Before(end) {
				late[worker] = lateAction{now, now.Sub(last)}
				return nil
			}
			if !now.Before(begin) {
				latencies[worker] = append(latencies[worker], now.Sub(last))
			}
			last = now
		}
	})
	if err != nil {
		return err
	}
	for _, some := range latencies {
		if len(some) > 0 {
			reportLatencies(id, measured, latencies)
			return nil
		}
	}

	// The machine stood still, or the time was short. What ended first after it tells how slow it was.
	first := late[0]
	for _, other := range late[1:] {
		if other.end.Before(first.end) {
			first = other
		}
	}
	reportLatencies(id, first.end.Sub(begin), [][]time.Duration{{first.took}})
	return nil
}

// lateAction is what a worker was at when the time was over.
type lateAction struct {
	end  time.Time
	took time.Duration
}
