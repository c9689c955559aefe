package eryx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// formatBytes is a size as people write it, exactly.
func formatBytes(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.bytes && n%unit.bytes == 0 {
			return fmt.Sprintf("%d %s", n/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// noteLimits fills in which limits an execution reached, and says so in err if
// it is an exception that one of them caused.
func (i *instance) noteLimits(result *Result, err error) error {
	reached := func(kind LimitKind) { result.LimitsReached = append(result.LimitsReached, kind) }
	var limit *LimitError
	if errors.As(err, &limit) {
		reached(limit.Kind)
	}
	memory := i.refused
	if memory {
		reached(LimitMemory)
	}
	if result.StdoutTruncated || result.StderrTruncated {
		reached(LimitOutput)
	}
	if i.files.Exhausted() {
		reached(LimitFiles)
	}
	if i.host.DescriptorsExhausted() {
		reached(LimitDescriptors)
	}
	if i.calls.Exhausted() && (limit == nil || limit.Kind != LimitCallbacks) {
		reached(LimitCallbacks)
	}
	if i.network != nil && i.network.ConnectionsExhausted() {
		reached(LimitConnections)
	}
	if i.network != nil && i.network.TrafficExhausted() {
		reached(LimitTraffic)
	}
	var raised *PythonError
	if errors.As(err, &raised) {
		raised.Limit = i.limitBehind(raised, memory)
	}
	return err
}

// limitBehind is the limit that made Python raise an exception, or nil.
func (i *instance) limitBehind(raised *PythonError, memory bool) *LimitError {
	if raised.Type == "MemoryError" && memory {
		return &LimitError{Kind: LimitMemory, Limit: formatBytes(i.config.MemoryLimit)}
	}
	if raised.Type != "OSError" {
		return nil
	}
	switch {
	case i.files.Exhausted() && strings.HasPrefix(raised.Message, noSpace):
		return &LimitError{Kind: LimitFiles, Limit: formatBytes(i.files.Usage().MaxBytes)}
	case i.host.DescriptorsExhausted() && strings.HasPrefix(raised.Message, tooManyOpen):
		limit := "all there can be"
		if i.config.DescriptorLimit != Unlimited {
			limit = strconv.Itoa(i.config.DescriptorLimit)
		}
		return &LimitError{Kind: LimitDescriptors, Limit: limit}
	case i.network != nil && i.network.TrafficExhausted() && strings.HasPrefix(raised.Message, ioError):
		return &LimitError{Kind: LimitTraffic, Limit: formatBytes(i.config.Network.TrafficLimit)}
	case i.network != nil && i.network.ConnectionsExhausted() && strings.HasPrefix(raised.Message, tooManyOpen):
		return &LimitError{Kind: LimitConnections, Limit: strconv.Itoa(orDefault(i.config.Network.ConnectionLimit, DefaultConnectionLimit))}
	}
	return nil
}

// How the messages of OSErrors begin with the guest's ENOSPC, EMFILE and EIO.
const (
	ioError     = "[Errno 29]"
	noSpace     = "[Errno 51]"
	tooManyOpen = "[Errno 33]"
)
