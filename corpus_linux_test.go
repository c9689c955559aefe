//go:build !race

package eryx_test

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

func init() {
	watchPrivateMemory = func(t *testing.T) func() (peak, left int64) {
		debug.FreeOSMemory()
		before := dirtyMemory(t)
		stop, done := make(chan struct{}), make(chan int64)
		go func() {
			highest := before
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-tick.C:
					highest = max(highest, dirtyMemory(t))
				case <-stop:
					tick.Stop()
					done <- highest
					return
				}
			}
		}()
		return func() (peak, left int64) {
			close(stop)
			peak = <-done - before
			debug.FreeOSMemory()
			return peak, dirtyMemory(t) - before
		}
	}
}

// dirtyMemory is how many bytes of this process only it has, the cheap way of
// [privateMemory].
func dirtyMemory(t *testing.T) int64 {
	f, err := os.Open("/proc/self/smaps_rollup")
	if err != nil {
		t.Error(err)
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); fields[0] == "Private_Dirty:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Error(err)
			}
			return kilobytes << 10
		}
	}
	t.Error("smaps_rollup names no Private_Dirty")
	return 0
}
