package progress

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	barWidth    = 30
	barInterval = 65 * time.Millisecond // between two drawings of one bar
)

// Bars returns a reporter for a terminal. The last line shows the stage that
// was started last and still runs, as a bar where its total is known and as a
// spinner where it is not; stages that have ended stand above it.
func Bars(w io.Writer) Reporter { return &bars{w: &lockedWriter{w: w}} }

type bars struct {
	w       *lockedWriter
	running []runningStage // in the order in which they were started
	shown   string         // the stage that bar draws
	total   int64          // of bar; unknown for a spinner
	bar     *progressbar.ProgressBar
}

type runningStage struct {
	name        string
	done, total int64
}

// unknown is the total of a stage that has not reported one.
const unknown = -1

func (b *bars) StageStarted(stage string) {
	b.running = append(b.running, runningStage{name: stage, total: unknown})
	b.draw()
}

func (b *bars) StageProgress(stage string, done, total int64) {
	i := b.find(stage)
	if i < 0 {
		return
	}
	if total <= 0 {
		total = unknown
	}
	b.running[i].done, b.running[i].total = done, total
	b.draw()
}

func (b *bars) StageFinished(stage string, cached bool, took time.Duration) {
	if i := b.find(stage); i >= 0 {
		b.running = slices.Delete(b.running, i, i+1)
	}
	b.erase()
	b.printf("%s", finishedLine(stage, cached, took))
	b.draw()
}

func (b *bars) Message(text string) {
	b.erase()
	b.printf("%s\n", text)
	b.draw()
}

func (b *bars) Close() {
	b.running = nil
	b.erase()
}

func (b *bars) find(stage string) int {
	return slices.IndexFunc(b.running, func(r runningStage) bool { return r.name == stage })
}

// draw brings the last line up to date.
func (b *bars) draw() {
	if len(b.running) == 0 {
		b.erase()
		return
	}
	stage := b.running[len(b.running)-1]
	if b.bar == nil || b.shown != stage.name || b.total != stage.total {
		b.erase()
		b.shown, b.total = stage.name, stage.total
		b.bar = newBar(b.w, stage)
	}
	if stage.total != unknown {
		// One less than the total at most: the library takes the total for
		// the end, which is StageFinished's to tell.
		_ = b.bar.Set64(min(max(stage.done, 0), stage.total-1))
	}
}

// erase removes the bar and leaves the cursor at the start of an empty line.
func (b *bars) erase() {
	if b.bar == nil {
		return
	}
	_ = b.bar.Finish() // ends a spinner's goroutine
	_ = b.bar.Exit()
	b.bar = nil
	b.printf("\r\033[2K")
}

func (b *bars) printf(format string, args ...any) { _, _ = fmt.Fprintf(b.w, format, args...) }

func newBar(w io.Writer, stage runningStage) *progressbar.ProgressBar {
	bar := progressbar.NewOptions64(stage.total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(fmt.Sprintf("%-*s", stageWidth, stage.name)),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionThrottle(barInterval),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	)
	if stage.done <= 0 || stage.total == unknown {
		_ = bar.RenderBlank() // otherwise the first Set draws, unthrottled
	}
	return bar
}

// lockedWriter serves the reporter and the goroutine of a spinner.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
