package wasi

import (
	"context"
	"fmt"
	"strings"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// ExitError is a guest's end by its own will. It ends the guest like a failure
// whatever the code.
type ExitError struct {
	Code int // 0 is success
}

func (e *ExitError) Error() string { return fmt.Sprintf("guest exited with code %d", e.Code) }

// GetEnvironment implements wasi:cli/environment. An entry without "=" has an
// empty value.
func (h *Host) GetEnvironment(context.Context) ([][2]string, error) {
	variables := make([][2]string, len(h.config.Env))
	for i, entry := range h.config.Env {
		variables[i][0], variables[i][1], _ = strings.Cut(entry, "=")
	}
	return variables, nil
}

// GetArguments implements wasi:cli/environment.
func (h *Host) GetArguments(context.Context) ([]string, error) { return h.config.Args, nil }

// InitialCwd implements wasi:cli/environment.
func (h *Host) InitialCwd(context.Context) (abi.Option[string], error) {
	return abi.Option[string]{Value: h.config.Dir, Valid: h.config.Dir != ""}, nil
}

// ExitExit implements wasi:cli/exit.
func (h *Host) ExitExit(_ context.Context, success bool) error {
	if success {
		return &ExitError{Code: 0}
	}
	return &ExitError{Code: 1}
}

// ProcessExit implements eryx:sandbox/process.
func (h *Host) ProcessExit(_ context.Context, code int32) error {
	return &ExitError{Code: int(code)}
}

// terminal is the resources terminal-input and terminal-output, of which there
// are none: a sandbox's standard streams are not terminals.
type terminal struct{}

func (*terminal) resource() string { return "terminal" }
func (*terminal) origin() string   { return "" }
func (*terminal) describe() string { return "a terminal" }
func (*terminal) drop()            {}

// GetTerminalStdin implements wasi:cli/terminal-stdin.
func (h *Host) GetTerminalStdin(context.Context) (abi.Option[bindings.TerminalInput], error) {
	return abi.Option[bindings.TerminalInput]{}, nil
}

// GetTerminalStdout implements wasi:cli/terminal-stdout.
func (h *Host) GetTerminalStdout(context.Context) (abi.Option[bindings.TerminalOutput], error) {
	return abi.Option[bindings.TerminalOutput]{}, nil
}

// GetTerminalStderr implements wasi:cli/terminal-stderr.
func (h *Host) GetTerminalStderr(context.Context) (abi.Option[bindings.TerminalOutput], error) {
	return abi.Option[bindings.TerminalOutput]{}, nil
}

// DropTerminalInput implements wasi:cli/terminal-input.
func (h *Host) DropTerminalInput(_ context.Context, self bindings.TerminalInput) error {
	return drop[*terminal](h, self)
}

// DropTerminalOutput implements wasi:cli/terminal-output.
func (h *Host) DropTerminalOutput(_ context.Context, self bindings.TerminalOutput) error {
	return drop[*terminal](h, self)
}
