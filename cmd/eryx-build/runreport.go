package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx"
)

// runReport is what `eryx-build run --json` prints: the result of an execution
// as one JSON object.
type runReport struct {
	Status          int             `json:"status"`
	Stdout          string          `json:"stdout"`
	Stderr          string          `json:"stderr"`
	StdoutTruncated bool            `json:"stdoutTruncated,omitempty"`
	StderrTruncated bool            `json:"stderrTruncated,omitempty"`
	Result          json.RawMessage `json:"result,omitempty"`
	ResultError     string          `json:"resultError,omitempty"`
	Error           *runError       `json:"error,omitempty"`
	LimitsReached   []string        `json:"limitsReached,omitempty"`
	DurationMS      float64         `json:"durationMs"`
	Fuel            uint64          `json:"fuel"`
	PeakMemory      int64           `json:"peakMemory"`
}

// runError says how a script ended, if not at its end.
type runError struct {
	// Kind is exception, exit, limit, interpreter or sandbox.
	Kind      string     `json:"kind"`
	Message   string     `json:"message"`
	Type      string     `json:"type,omitempty"`  // of an exception
	Limit     string     `json:"limit,omitempty"` // which one ended it or made Python raise
	Line      int        `json:"line,omitempty"`
	Frames    []runFrame `json:"frames,omitempty"`
	Traceback string     `json:"traceback,omitempty"`
}

type runFrame struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Function string `json:"function"`
}

// printReport writes the report, with the status that the process will have.
func printReport(w io.Writer, result *eryx.Result, err error, status int) error {
	report := runReport{
		Status:          status,
		Stdout:          string(result.Stdout),
		Stderr:          string(result.Stderr),
		StdoutTruncated: result.StdoutTruncated,
		StderrTruncated: result.StderrTruncated,
		Result:          result.Value,
		DurationMS:      milliseconds(result.Duration),
		Fuel:            result.Fuel,
		PeakMemory:      result.PeakMemory,
		Error:           describeError(err),
	}
	if result.ValueError != nil {
		report.ResultError = result.ValueError.Error()
	}
	for _, kind := range result.LimitsReached {
		report.LimitsReached = append(report.LimitsReached, string(kind))
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(&report)
}

func describeError(err error) *runError {
	var (
		exit   *eryx.ExitError
		raised *eryx.PythonError
		limit  *eryx.LimitError
		crash  *eryx.CrashError
	)
	if err == nil {
		return nil
	}
	d := &runError{Kind: "sandbox", Message: err.Error()}
	if errors.As(err, &limit) {
		d.Kind, d.Limit = "limit", string(limit.Kind)
	}
	switch {
	case errors.As(err, &exit):
		d.Kind = "exit"
	case errors.As(err, &raised):
		d.Kind, d.Type, d.Message, d.Line, d.Traceback = "exception", raised.Type, raised.Message, raised.Line, raised.Traceback
		for _, f := range raised.Frames {
			d.Frames = append(d.Frames, runFrame(f))
		}
	case errors.As(err, &crash):
		d.Kind = "interpreter"
	}
	return d
}

// printStats says in one line what an execution took.
func printStats(w io.Writer, result *eryx.Result) {
	line := fmt.Sprintf("eryx-build: %.1f ms, %d steps of fuel, %s of memory", milliseconds(result.Duration), result.Fuel, formatSize(result.PeakMemory))
	if reached := slices.DeleteFunc(slices.Clone(result.LimitsReached), func(k eryx.LimitKind) bool { return k == eryx.LimitOutput }); len(reached) > 0 {
		var names []string
		for _, kind := range reached {
			names = append(names, string(kind))
		}
		line += ", limits reached: " + strings.Join(names, ", ")
	}
	fmt.Fprintln(w, line)
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
