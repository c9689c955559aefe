package progress

import (
	"fmt"
	"io"
	"time"
)

// lineInterval is how often a stage that is under way is heard of in a log.
const lineInterval = 10 * time.Second

// Lines returns a reporter that writes a line for every stage that has ended,
// every message and, for long stages, now and then how far they are.
func Lines(w io.Writer) Reporter { return &lines{w: w, last: map[string]time.Time{}} }

type lines struct {
	w    io.Writer
	last map[string]time.Time // when a running stage last wrote, or started
}

func (l *lines) StageStarted(stage string) { l.last[stage] = time.Now() }

func (l *lines) StageProgress(stage string, done, total int64) {
	if time.Since(l.last[stage]) < lineInterval {
		return
	}
	l.last[stage] = time.Now()
	if total > 0 {
		l.printf("%-*s  %d%%\n", stageWidth, stage, percent(done, total))
	} else {
		l.printf("%-*s  under way\n", stageWidth, stage)
	}
}

func (l *lines) StageFinished(stage string, cached bool, took time.Duration) {
	delete(l.last, stage)
	l.printf("%s", finishedLine(stage, cached, took))
}

func (l *lines) Message(text string) { l.printf("%s\n", text) }

func (l *lines) Close() {}

// printf ignores errors: progress is of no use to anybody who cannot see it.
func (l *lines) printf(format string, args ...any) { _, _ = fmt.Fprintf(l.w, format, args...) }

// percent is between 0 and 100, whatever a stage reports.
func percent(done, total int64) int64 {
	return int64(100 * float64(min(max(done, 0), total)) / float64(total))
}
