package wasi

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// TestAttackPanickingReader gives guests readers that do not return, in a
// goroutine where a panic would end the process.
func TestAttackPanickingReader(t *testing.T) {
	for name, reader := range map[string]readerFunc{
		"panic":       func([]byte) (int, error) { panic("a careless reader") },
		"error panic": func([]byte) (int, error) { panic(errors.New("a careless reader")) },
		"exit":        func([]byte) (int, error) { runtime.Goexit(); return 0, nil },
		"too much":    func(p []byte) (int, error) { return len(p) + 1, nil },
		"negative":    func([]byte) (int, error) { return -1, nil },
	} {
		in := NewInput(reader)
		for range 2 {
			if n, err := in.Read(make([]byte, 10)); n != 0 || err == nil || strings.Contains(err.Error(), "EOF") {
				t.Errorf("%s: read %d bytes, %v", name, n, err)
			}
		}
	}
}
