package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eryx-build/eryx/internal/testbundle"
)

// console is a program at a pseudo-terminal.
type console struct {
	t       *testing.T
	master  *os.File
	cmd     *exec.Cmd
	done    chan struct{} // closed when the program has ended
	mu      sync.Mutex
	arrived sync.Cond
	shown   bytes.Buffer // without what was expected already
	ended   bool
}

// newConsole starts eryx-build on a terminal of 80 columns.
func newConsole(t *testing.T, args ...string) *console {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	c := &console{t: t, master: master, cmd: command(t, args...), done: make(chan struct{})}
	c.arrived.L = &c.mu
	c.resize(80)
	c.cmd.Env = append(c.cmd.Environ(), "TERM=xterm")
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.listen()
	go func() {
		_ = c.cmd.Wait() // whose status tests look at
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.done
	})
	return c
}

func (c *console) listen() {
	buffer := make([]byte, 4096)
	for {
		n, err := c.master.Read(buffer)
		c.mu.Lock()
		c.shown.Write(buffer[:n])
		c.ended = err != nil
		c.arrived.Broadcast()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *console) resize(columns uint16) {
	c.t.Helper()
	if err := unix.IoctlSetWinsize(int(c.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) keys(keys string) {
	c.t.Helper()
	if _, err := c.master.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

var (
	modes  = regexp.MustCompile(`\x1b\[\?2004[hl]`)
	redraw = regexp.MustCompile(`[^\n]*(\x1b\[\d+A)?\r\x1b\[J`)
	moves  = regexp.MustCompile(`(\x1b\[\d+A)?\r\x1b\[\d+C`)
)

// read is what a terminal that was sent text shows, where no line is wrapped.
func read(text string) string {
	for _, without := range []*regexp.Regexp{modes, redraw, moves} {
		text = without.ReplaceAllString(text, "")
	}
	return text
}

// expect waits until the terminal has shown what a pattern matches, in
// the text that [read] gives of what was not expected yet.
func (c *console) expect(pattern string) {
	c.t.Helper()
	wanted := regexp.MustCompile(pattern)
	deadline := time.AfterFunc(30*time.Second, func() {
		c.mu.Lock()
		c.ended = true
		c.arrived.Broadcast()
		c.mu.Unlock()
	})
	defer deadline.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		text := read(c.shown.String())
		if at := wanted.FindStringIndex(text); at != nil {
			c.shown.Reset()
			c.shown.WriteString(text[at[1]:])
			return
		}
		if c.ended {
			c.t.Fatalf("the terminal does not show %q but %q", pattern, text)
		}
		c.arrived.Wait()
	}
}

// exchange types a line at a prompt and waits for what is shown before the next.
func (c *console) exchange(line, pattern string) {
	c.t.Helper()
	c.keys(line + "\r")
	c.expect(pattern + `\r\n(>>> |\.\.\. )$`)
}

// exit waits for the program's end and gives its status.
func (c *console) exit() int {
	c.t.Helper()
	select {
	case <-c.done:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		c.t.Fatal("the program has not ended")
		return 0
	}
}

// mode is the state of the terminal, as far as programs change it.
func (c *console) mode() [2]uint32 {
	c.t.Helper()
	state, err := unix.IoctlGetTermios(int(c.master.Fd()), unix.TCGETS)
	if err != nil {
		c.t.Fatal(err)
	}
	return [2]uint32{state.Lflag, state.Iflag}
}

const (
	prompt     = `>>> $`
	continued  = `\.\.\. $`
	upArrow    = "\x1b[A"
	leftArrow  = "\x1b[D"
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

func startRepl(t *testing.T, flags ...string) *console {
	t.Helper()
	c := newConsole(t, append(append([]string{"repl"}, flags...), testbundle.Default(t))...)
	c.expect(`^Python 3\.14\.\d+ in a sandbox; :help for commands\r\n>>> $`)
	return c
}

func TestTerminal(t *testing.T) {
	c := startRepl(t)
	c.exchange("1 + 1", `^1 \+ 1\r\n2`)
	c.exchange("await __import__('asyncio').sleep(0, 'awaited')", `\r\n'awaited'`)

	// A block ends with an empty line; its lines are no executions.
	c.exchange("def f(n):", ``)
	c.exchange("    return n / 0", ``)
	c.keys("\r")
	c.expect(prompt)
	c.exchange("f(1)", `<input-4>", line 1, in <module>(?s:.*)<input-3>", line 2, in f(?s:.*)ZeroDivisionError: division by zero`)

	// Editing, with characters that take two cells, and the history.
	c.exchange("'日本'"+leftArrow+leftArrow+"語", `\r\n'日語本'`)
	c.exchange(upArrow+leftArrow+"\x7f", `\r\n'日語'`)
	c.exchange(upArrow+upArrow+upArrow+upArrow+"\x15len('x')", `\r\n1`)

	// A prompt begins a line, whatever was printed.
	c.exchange("print('unfinished', end='')", `\r\nunfinished`)
	c.exchange("import sys; _ = sys.stderr.write('e')", `\r\ne`)

	// What is typed ahead is shown once, and waits.
	c.keys("import time; time.sleep(1); 'slept'\r")
	time.Sleep(300 * time.Millisecond)
	c.keys("'next'\r")
	c.expect(`^import time; time.sleep\(1\); 'slept'\r\n'slept'\r\n>>> 'next'\r\n'next'\r\n>>> $`)
	c.keys("\x04")
	c.expect(`^\r\n`)
	if status := c.exit(); status != 0 {
		t.Errorf("status %d", status)
	}
}

func TestTerminalPaste(t *testing.T) {
	c := startRepl(t)
	// Marked by the terminal it is one input, in spite of its empty lines.
	c.keys(pasteBegin + "def g():\r    a = 1\r\r    return a\r\rprint(g())\rg() + 1\r" + pasteEnd)
	c.expect(`\r\n1\r\n2\r\n>>> $`)
	c.keys(pasteBegin + "1 +\r  2" + pasteEnd)
	c.expect(`2$`)
	c.keys("\x7f3")
	c.expect(`3$`)
	c.exchange("", `SyntaxError: (?s:.*)`) // for "1 +" is an input that is wrong
	// Unmarked it is typed fast.
	c.keys("x = 5\rfor i in range(2):\r    i + x\r\rx\r")
	c.expect(`\r\n5\r\n6\r\n>>> x\r\n5\r\n>>> $`)
}

func TestTerminalInterrupts(t *testing.T) {
	c := startRepl(t, "--timeout", "unlimited")
	before := c.mode()
	// At the prompt, in a block, and with text: what was typed is dropped.
	c.keys("\x03")
	c.expect(`^\r\nKeyboardInterrupt\r\n>>> $`)
	c.keys("abc\x03")
	c.expect(`^abc\r\nKeyboardInterrupt\r\n>>> $`)
	c.exchange("if True:", ``)
	c.keys("    1\x03")
	c.expect(`KeyboardInterrupt\r\n>>> $`)
	c.exchange("x = 7", ``)
	// While it executes; what was typed ahead is dropped with it.
	c.keys("print('loops'); import time\rwhile True: pass\r")
	c.expect(`loops`)
	c.expect(continued)
	c.keys("\r")
	time.Sleep(300 * time.Millisecond)
	c.keys("'ahead'\r\x03")
	c.expect(`(?s)Traceback.*\r\nKeyboardInterrupt\r\n>>> $`)
	c.exchange("x", `^x\r\n7`)
	c.keys("time.sleep(1000)\r")
	time.Sleep(300 * time.Millisecond)
	c.keys("\x03")
	c.expect(`(?s)Traceback.*\r\nKeyboardInterrupt\r\n>>> $`)
	// What does not look at interrupts is ended by another one.
	c.keys("sum(range(10**12))\r")
	time.Sleep(300 * time.Millisecond)
	c.keys("\x03")
	time.Sleep(300 * time.Millisecond)
	c.keys("\x03")
	c.expect(`:undo gives back what there was\r\n>>> $`)
	c.exchange(":undo", ``)
	c.exchange("x", `^x\r\n7`)
	if now := c.mode(); now != before {
		t.Errorf("at the prompt the terminal's mode is %#x, first it was %#x", now, before)
	}
}

func TestTerminalResize(t *testing.T) {
	c := startRepl(t)
	line := "'" + strings.Repeat("x", 60) + "'"
	c.keys(line)
	c.expect(`x'$`)
	c.resize(40)
	c.expect(`>>> 'x+'$`) // drawn again
	c.exchange("[:3]", `'xxx'`)
	c.resize(20)
	c.expect(prompt)
	c.exchange("len("+line+")", `\r\n60`)
}

func TestTerminalCommands(t *testing.T) {
	c := startRepl(t)
	saved := t.TempDir() + "/with a blank"
	c.exchange(":help", `:undo   .*\r\n(?s:.*):quit .*`)
	c.exchange("x = 1", ``)
	c.exchange(":save "+saved, ``)
	c.exchange("x = 2", ``)
	c.exchange(":fork", ``)
	c.exchange("x = 3", ``)
	c.exchange(":undo", ``)
	c.exchange("x", `\r\n2`)
	c.exchange("x = 4", ``)
	c.exchange(":back", ``)
	c.exchange("x", `\r\n2`)
	c.exchange(":load "+saved, ``)
	c.exchange("x", `\r\n1`)
	c.exchange(":undo", ``)
	c.exchange("x", `\r\n1`)
	c.exchange(":trace", `tracing is on`)
	c.exchange("x + 1", `call(?s:.*)\r\n2(?s:.*)return .*`)
	c.exchange(":trace", `tracing is off`)
	c.exchange(":save", `:save needs the name of a file; :help shows all commands`)
	c.exchange(":undo now", `:undo takes nothing after it; :help shows all commands`)
	c.exchange(":reset", ``)
	c.exchange("x", `NameError: .*`)
	c.keys(":quit\r")
	if status := c.exit(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// TestTerminalEnds checks that the terminal is left as it was, however the
// program ends.
func TestTerminalEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(c *console)
		status int
	}{
		"end of input":  {func(c *console) { c.keys("\x04") }, 0},
		"exit":          {func(c *console) { c.keys("exit\r") }, 0},
		"sys.exit":      {func(c *console) { c.keys("import sys; sys.exit()\r") }, 0},
		"with a status": {func(c *console) { c.keys("raise SystemExit(3)\r") }, 3},
		"terminated":    {func(c *console) { _ = c.cmd.Process.Signal(syscall.SIGTERM) }, 143},
		"while it loops": {func(c *console) {
			c.keys("1\rwhile True: 0\r\r")
			c.expect("1\r\n")
			_ = c.cmd.Process.Signal(syscall.SIGTERM)
		}, 143},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, "repl", testbundle.Default(t))
			before := c.mode()
			c.expect(prompt)
			test.end(c)
			if status := c.exit(); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if after := c.mode(); after != before {
				t.Errorf("the terminal's mode is %#x, was %#x", after, before)
			}
		})
	}
}
