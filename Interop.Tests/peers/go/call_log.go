package main

import (
	"context"
	"sync"

	"interop/pb"
)

// callLog lets a caller learn when a call that it named has reached its handler, and how the handler ended.
type callLog struct {
	lock  sync.Mutex
	calls map[string]*loggedCall
}

type loggedCall struct {
	started, ended chan struct{}
	end            pb.End
}

func (l *callLog) get(key string) *loggedCall {
	l.lock.Lock()
	defer l.lock.Unlock()
	call := l.calls[key]
	if call == nil {
		call = &loggedCall{started: make(chan struct{}), ended: make(chan struct{})}
		l.calls[key] = call
	}
	return call
}

// begin notes that a call has reached its handler, and returns what to do when the handler ends.
func (l *callLog) begin(ctx context.Context, key string) func() {
	if key == "" {
		return func() {}
	}
	call := l.get(key)
	close(call.started)
	return func() {
		call.end.Cancelled = ctx.Err() != nil
		_, call.end.HadDeadline = ctx.Deadline()
		close(call.ended)
	}
}

func await(ctx context.Context, event <-chan struct{}) error {
	select {
	case <-event:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
