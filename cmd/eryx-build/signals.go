package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the cause of a context that a signal cancelled.
type signalError struct {
	number int
}

func (e *signalError) Error() string {
	if e.number == int(syscall.SIGTERM) {
		return "terminated"
	}
	return "interrupted"
}

// withSignals returns a context that the first SIGINT or SIGTERM cancels, so
// that work under way ends in an orderly manner; a second one kills.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			number := int(syscall.SIGINT)
			if n, ok := s.(syscall.Signal); ok {
				number = int(n)
			}
			cancel(&signalError{number: number})
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
