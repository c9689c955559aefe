package main

import (
	"fmt"
	"io"
	"time"

	"github.com/eryx-build/eryx"
)

// traceValue is a flag that takes kinds of trace events, or "all".
type traceValue struct {
	given bool
	kinds eryx.TraceKind // 0 is all
}

func (v *traceValue) Set(text string) (err error) {
	v.given, v.kinds = true, 0
	if text != "all" {
		v.kinds, err = eryx.ParseTraceKinds(text)
	}
	return err
}

func (v *traceValue) String() string {
	switch {
	case !v.given:
		return ""
	case v.kinds == 0:
		return "all"
	}
	return v.kinds.String()
}

func (v *traceValue) Type() string { return "kinds" }

// trace prints events, a line each, with the time since the start.
func (v *traceValue) trace(w io.Writer) eryx.Trace {
	if !v.given {
		return eryx.Trace{}
	}
	return eryx.Trace{
		Kinds: v.kinds,
		Handler: func(e eryx.TraceEvent) {
			fmt.Fprintf(w, "%10.3f ms  %*s%s\n", float64(e.Time)/float64(time.Millisecond), 2*max(0, min(e.Depth, 20)-1), "", e)
		},
	}
}
