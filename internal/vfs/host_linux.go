package vfs

import (
	"syscall"
	"time"
)

func statTimes(s *syscall.Stat_t) (accessed, changed time.Time, ok bool) {
	return time.Unix(s.Atim.Unix()), time.Unix(s.Ctim.Unix()), true
}
