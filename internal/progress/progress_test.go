package progress

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// screen is what a terminal of unbounded width shows of a program's output.
func screen(output string) []string {
	lines := []string{""}
	column := 0
	runes := []rune(output)
	for i := 0; i < len(runes); i++ {
		row := []rune(lines[len(lines)-1])
		switch r := runes[i]; {
		case r == '\r':
			column = 0
		case r == '\n':
			lines = append(lines, "")
			column = 0
		case r == '\033' && strings.HasPrefix(string(runes[i:]), "\033[2K"):
			lines[len(lines)-1] = ""
			i += len("[2K")
		case r == '\033' && strings.HasPrefix(string(runes[i:]), "\033[0K"):
			lines[len(lines)-1] = string(row[:min(column, len(row))])
			i += len("[0K")
		default:
			for len(row) <= column {
				row = append(row, ' ')
			}
			row[column] = r
			column++
			lines[len(lines)-1] = string(row)
		}
	}
	return lines
}

func drive(r Reporter) {
	r.StageStarted("base")
	r.StageProgress("base", 0, -1)
	r.StageFinished("base", true, 2*time.Millisecond)
	r.StageStarted("link")
	r.StageProgress("link", 3, 10)
	r.Message("Something a person should see.")
	r.StageProgress("link", 10, 10)
	r.StageProgress("link", 11, 10) // beyond the total: must not confuse
	r.StageFinished("link", false, 1234*time.Millisecond)
}

var shownAfter = []string{
	"base        cached",
	"Something a person should see.",
	"link        1.2 s",
	"",
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	r := Lines(&out)
	drive(r)
	r.Close()
	if diff := cmp.Diff(shownAfter, strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestLinesTellsOfLongStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := Lines(&out)
		r.StageStarted("base")
		r.StageProgress("base", 1, 100)
		time.Sleep(lineInterval)
		r.StageProgress("base", 50, 100)
		r.StageProgress("base", 51, 100)
		time.Sleep(lineInterval)
		r.StageProgress("base", 51, -1)
		want := "base        50%\nbase        under way\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestBarsLeaveLinesBehind(t *testing.T) {
	var out bytes.Buffer
	r := Bars(&out)
	drive(r)
	r.Close()
	if diff := cmp.Diff(shownAfter, screen(out.String())); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
}

func TestBarsShowTheStageUnderWay(t *testing.T) {
	var out bytes.Buffer
	w := &lockedWriter{w: &out}
	r := Bars(w)
	r.StageStarted("compile")
	time.Sleep(2 * barInterval)
	r.StageProgress("compile", 60, 100)
	w.mu.Lock()
	shown := screen(out.String())
	w.mu.Unlock()
	if last := shown[len(shown)-1]; !strings.HasPrefix(last, "compile") || !strings.Contains(last, "60%") || !strings.Contains(last, "====") {
		t.Errorf("the last line is %q, not compile's bar at 60%%", last)
	}
	r.StageStarted("stdlib")
	r.StageFinished("stdlib", false, time.Second)
	w.mu.Lock()
	shown = screen(out.String())
	w.mu.Unlock()
	if last := shown[len(shown)-1]; !strings.HasPrefix(last, "compile") {
		t.Errorf("after a stage that overlaps, the last line is %q, not compile's", last)
	}
	r.Close()
	if shown := screen(out.String()); shown[len(shown)-1] != "" {
		t.Errorf("Close left %q on the screen", shown[len(shown)-1])
	}
}

func TestBarsLeaveNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		var out bytes.Buffer
		r := Bars(&out)
		r.StageStarted("base")
		r.StageStarted("link")
		r.Close()
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

// A log that cannot be written is no reason for a build to fail.
func TestBrokenWriter(t *testing.T) {
	for _, r := range []Reporter{Lines(brokenWriter{}), Bars(brokenWriter{}), New(brokenWriter{})} {
		drive(r)
		r.Close()
	}
}

func TestNewWritesLinesToWhatIsNoTerminal(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	drive(r)
	r.Close()
	if strings.ContainsAny(out.String(), "\r\033") {
		t.Errorf("control characters in %q", out.String())
	}
}

func TestQuiet(t *testing.T) {
	r := Quiet()
	drive(r)
	r.Close()
}

func TestSeconds(t *testing.T) {
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0.000 s"}, {4 * time.Millisecond, "0.004 s"}, {1234 * time.Millisecond, "1.2 s"}, {83 * time.Second, "83 s"},
	} {
		if got := Seconds(test.d); got != test.want {
			t.Errorf("Seconds(%v) = %q, want %q", test.d, got, test.want)
		}
	}
}
