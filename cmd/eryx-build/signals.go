package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
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
// that work under way ends in an orderly manner; a second one kills. While there
// is an interrupt, a SIGINT that it deals with does not count.
func withSignals(parent context.Context, interrupt *atomic.Pointer[func() bool]) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case s := <-signals:
				number := int(syscall.SIGINT)
				if n, ok := s.(syscall.Signal); ok {
					number = int(n)
				}
				if number == int(syscall.SIGINT) {
					if deal := interrupt.Load(); deal != nil && (*deal)() {
						continue
					}
				}
				signal.Stop(signals)
				cancel(&signalError{number: number})
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
