package vfs

import (
	"syscall"
	"time"
)

func statTimes(s *syscall.Stat_t) (accessed, changed time.Time, ok bool) {
	return time.Unix(s.Atimespec.Unix()), time.Unix(s.Ctimespec.Unix()), true
}
