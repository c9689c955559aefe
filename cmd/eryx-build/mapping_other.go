//go:build !linux && !darwin

package main

import "errors"

// checkMapping: sandboxes copy the memory image on this platform.
func checkMapping(string) error { return errors.ErrUnsupported }
