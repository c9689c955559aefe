package network

import (
	"errors"
	"fmt"
)

// What errors of [Net] match, beside those of package net.
var (
	// ErrDenied is matched where the policy, or the host's own decision, is
	// against it; see [DeniedError].
	ErrDenied = errors.New("network: not allowed")
	// ErrNoSuchName is for names that do not exist or have no address.
	ErrNoSuchName = errors.New("network: no such name")
	// ErrTemporary is for names that could not be looked up this time.
	ErrTemporary = errors.New("network: the name could not be resolved")
	// ErrTooMany says that as many connections are open as may be.
	ErrTooMany = errors.New("network: too many connections")
	// ErrTraffic says that more was sent and received than may be.
	ErrTraffic = errors.New("network: the limit of traffic is reached")
	// ErrProxy says that the host's proxy could not be used.
	ErrProxy = errors.New("network: the proxy failed")
)

// DeniedError says what was refused and why. It matches [ErrDenied].
type DeniedError struct {
	What   string // a name, or an address with its port
	Reason string // a clause
}

func (e *DeniedError) Error() string { return fmt.Sprintf("%s is not allowed: %s", e.What, e.Reason) }

// Is reports whether target is [ErrDenied].
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

// timeoutError is a [net.Error], as those of package net are.
type timeoutError string

func (e timeoutError) Error() string { return string(e) }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// The time limits of the configuration.
const (
	errConnectTimeout timeoutError = "network: connecting took too long"
	errIdleTimeout    timeoutError = "network: the connection was idle too long"
)
