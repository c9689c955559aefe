//go:build !linux && !darwin && !freebsd && !windows

package main

import "errors"

// freeSpace has no portable implementation.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
