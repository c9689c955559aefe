// Package progress shows a person how far a build is: a bar per stage on a
// terminal, plain lines in a log, nothing where quiet was asked for. It only
// ever writes to the writer it is given, which is standard error, so that
// standard output stays free for results.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/eryx-build/eryx/bundle/build"
)

// Reporter is an observer of a build that has to be closed when the build has
// ended, whether well or not, so that no half-drawn bar stays behind. Like
// every observer it is called from one goroutine at a time.
type Reporter interface {
	build.Observer
	Close()
}

// New returns the reporter that suits w: [Bars] on a terminal that can move
// its cursor, [Lines] elsewhere.
func New(w io.Writer) Reporter {
	if file, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd())) {
		return Bars(w)
	}
	return Lines(w)
}

// Quiet returns a reporter that says nothing.
func Quiet() Reporter { return quiet{} }

type quiet struct{}

func (quiet) StageStarted(string)                       {}
func (quiet) StageProgress(string, int64, int64)        {}
func (quiet) StageFinished(string, bool, time.Duration) {}
func (quiet) Message(string)                            {}
func (quiet) Close()                                    {}

// stageWidth aligns what follows the names of the stages.
const stageWidth = 10

// finishedLine says how a stage ended, e.g. "link        1.2 s".
func finishedLine(stage string, cached bool, took time.Duration) string {
	how := Seconds(took)
	if cached {
		how = "cached"
	}
	return fmt.Sprintf("%-*s  %s\n", stageWidth, stage, how)
}

// Seconds formats a duration with the precision that a person wants to read,
// e.g. "0.004 s", "1.2 s", "83 s".
func Seconds(d time.Duration) string {
	s := d.Seconds()
	switch {
	case s < 0.1:
		return fmt.Sprintf("%.3f s", s)
	case s < 10:
		return fmt.Sprintf("%.1f s", s)
	default:
		return fmt.Sprintf("%.0f s", s)
	}
}
