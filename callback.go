package eryx

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/calls"
)

// Callback is a function of the host that scripts call: `await name(...)`.
// Package [github.com/eryx-build/eryx/callback] makes callbacks of typed Go
// functions, and of schemas that are enforced.
//
// Each call runs in a goroutine of its own, so a callback has to be safe for
// concurrent use. Its context is done when the call has timed out, when the
// script has cancelled it and when the execution is over; a callback that takes
// no notice goes on beside the host, and its result is dropped.
type Callback struct {
	// Name is what scripts call. Dots make namespaces: "search.query" is
	// search.query(...) there. A name that is not a Python name, or that of a
	// builtin, is reached by invoke(name, ...) alone.
	Name string
	// Description is shown to scripts and in stubs.
	Description string
	// Parameters is a JSON schema of an object. The order of its properties is
	// that of positional arguments. Scripts are held to its names: missing and
	// unknown ones are a TypeError, unless additionalProperties allows them.
	// Values are not checked against it; package callback does that. Empty
	// accepts all keyword arguments.
	Parameters json.RawMessage
	// Returns is a JSON schema of the result, for stubs. Where it says that the
	// result is bytes (a string with contentEncoding base64, as []byte is in
	// encoding/json), scripts get bytes.
	Returns json.RawMessage
	// Timeout limits one call; 0 means [SandboxConfig.CallbackTimeout],
	// [Unlimited] none beside the execution's.
	Timeout time.Duration

	// Call does the work: arguments are a JSON object, the result is JSON.
	// Arguments that are bytes in the script are base64 in it, for parameters
	// whose schemas say so. An [*ArgumentError] is a TypeError in the script;
	// any other error a CallbackError with its text.
	Call func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)
	// CallRaw, if not nil, is called instead of Call, and passes bytes on as
	// they are.
	CallRaw func(ctx context.Context, args Arguments) (Value, error)

	// Err, if not nil, is why the callback cannot be offered to scripts.
	// [Runtime.NewSandbox] returns it.
	Err error

	// Stub, if not empty, is the Python text that [Runtime.Stubs] has for it,
	// instead of one made from the schemas.
	Stub string
}

// Arguments are those of one call.
type Arguments struct {
	JSON json.RawMessage // an object, without what is in Bytes
	// Bytes are the arguments that are bytes in the script, by name; nil if
	// there are none.
	Bytes map[string][]byte
}

// Value is the result of a call: JSON or, if IsBytes, bytes.
type Value struct {
	JSON    json.RawMessage
	Bytes   []byte
	IsBytes bool
}

// ArgumentError says that a callback was called with wrong arguments. Scripts
// see it as a TypeError.
type ArgumentError struct{ Message string }

func (e *ArgumentError) Error() string { return e.Message }

// The defaults of [SandboxConfig]'s limits of callbacks.
const (
	DefaultCallbackTimeout = 10 * time.Second
	DefaultCallbackLimit   = 1000
)

// LimitCallbacks is the limit of calls of an execution.
const LimitCallbacks LimitKind = "callbacks"

// CallbackError says that a callback failed and the script did not catch it. It
// unwraps to the error that the callback returned and to the [*PythonError] that
// became of it in the script.
type CallbackError struct {
	Name string // of the callback
	// Err is the callback's own. If the script's limit of calls was used up it
	// is a [*LimitError]; if the time of the call was, it matches
	// [context.DeadlineExceeded]; if the callback panicked, a [*PanicError].
	Err    error
	Python *PythonError
}

func (e *CallbackError) Error() string {
	text := fmt.Sprintf("eryx: callback %s: %v", e.Name, e.Err)
	if e.Python.Line > 0 {
		text += fmt.Sprintf(" (line %d)", e.Python.Line)
	}
	return text
}

// Unwrap returns the callback's error and the script's.
func (e *CallbackError) Unwrap() []error { return []error{e.Err, e.Python} }

// Is reports whether target is [ErrSandbox].
func (e *CallbackError) Is(target error) bool { return target == ErrSandbox }

// PanicError is a panic of a callback.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns what panic was called with, if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// callbackError is the host's view of an exception that a failed call caused.
func callbackError(name string, err error, raised *PythonError) error {
	var limit *calls.LimitError
	var panicked *calls.PanicError
	switch {
	case errors.As(err, &limit):
		err = &LimitError{Kind: LimitCallbacks, Limit: fmt.Sprint(limit.Limit)}
	case errors.As(err, &panicked):
		err = &PanicError{Value: panicked.Value, Stack: panicked.Stack}
	}
	return &CallbackError{Name: name, Err: err, Python: raised}
}

// functions is what the configuration lets scripts call.
func (c *SandboxConfig) makeFunctions() []calls.Function {
	if len(c.Callbacks) == 0 {
		return nil
	}
	functions := make([]calls.Function, len(c.Callbacks))
	signatures := make([]lazySignature, len(c.Callbacks))
	for i := range c.Callbacks {
		b := &c.Callbacks[i]
		signatures[i].callback = b
		f := calls.Function{Name: b.Name, Timeout: b.Timeout, Signature: signatures[i].get, Run: b.run}
		if f.Timeout == 0 {
			f.Timeout = c.CallbackTimeout
		}
		functions[i] = f
	}
	return functions
}

// aroundCall determines a call's result instead of next, which makes the call.
type aroundCall = func(ctx context.Context, call *calls.Call, next func() (calls.Value, error)) (calls.Value, error)

// callConfig is the configuration of an execution's calls.
func (c *SandboxConfig) callConfig(around aroundCall) calls.Config {
	config := calls.Config{Functions: c.functions, Limit: c.CallbackLimit, Panicked: c.logPanic}
	if c.Trace.Handler != nil {
		config.Around = around
	}
	return config
}

func (c *SandboxConfig) logPanic(name string, value any, stack []byte) {
	logger := c.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Error("eryx: a callback panicked", "callback", name, "panic", fmt.Sprint(value), "stack", string(stack))
}

// run is Call or CallRaw, in terms of the other.
func (b *Callback) run(ctx context.Context, given calls.Arguments) (calls.Value, error) {
	if b.CallRaw != nil {
		value, err := b.CallRaw(ctx, Arguments{JSON: given.JSON, Bytes: given.Binary})
		return calls.Value{JSON: value.JSON, Binary: value.Bytes, IsBinary: value.IsBytes}, argumentError(err)
	}
	args, err := withBytes(given)
	if err != nil {
		return calls.Value{}, err
	}
	result, err := b.Call(ctx, args)
	if err != nil {
		return calls.Value{}, argumentError(err)
	}
	if len(b.Returns) > 0 && calls.IsBinary(b.Returns) {
		var content []byte
		if err := json.Unmarshal(result, &content); err != nil {
			return calls.Value{}, fmt.Errorf("the callback's result is not base64, as its schema says: %w", err)
		}
		return calls.Value{Binary: content, IsBinary: content != nil, JSON: result}, nil
	}
	return calls.Value{JSON: result}, nil
}

// argumentError is err in the terms of package calls.
func argumentError(err error) error {
	var argument *ArgumentError
	if errors.As(err, &argument) {
		return &calls.ArgumentError{Message: argument.Message}
	}
	return err
}

// withBytes is the arguments as one JSON object.
func withBytes(given calls.Arguments) (json.RawMessage, error) {
	if len(given.Binary) == 0 {
		return given.JSON, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(given.JSON, &object); err != nil {
		return nil, err
	}
	for name, content := range given.Binary {
		text := make([]byte, 2+base64.StdEncoding.EncodedLen(len(content)))
		base64.StdEncoding.Encode(text[1:], content)
		text[0], text[len(text)-1] = '"', '"'
		object[name] = text
	}
	return json.Marshal(object)
}

// maxCallbackName is the longest name of a callback in bytes.
const maxCallbackName = 200

// checkCallbacks refuses what cannot be offered to scripts.
func checkCallbacks(callbacks []Callback) error {
	seen := make(map[string]bool, len(callbacks)) // true for names, false for namespaces
	for i := range callbacks {
		b := &callbacks[i]
		if err := checkCallbackName(b.Name); err != nil {
			return err
		}
		switch {
		case b.Err != nil:
			return b.Err
		case b.Call == nil && b.CallRaw == nil:
			return fmt.Errorf("eryx: the callback %s has no function to call", b.Name)
		case b.Timeout < 0 && b.Timeout != Unlimited:
			return fmt.Errorf("eryx: the callback %s has a timeout of %v, which is negative", b.Name, b.Timeout)
		}
		if name, ok := seen[b.Name]; ok {
			if name {
				return fmt.Errorf("eryx: two callbacks have the name %s", b.Name)
			}
			return fmt.Errorf("eryx: %s is the name of a callback, and other callbacks are in a namespace of that name", b.Name)
		}
		seen[b.Name] = true
		for at, r := range b.Name {
			if r != '.' {
				continue
			}
			if seen[b.Name[:at]] {
				return fmt.Errorf("eryx: %s is the name of a callback, so it cannot be the namespace of %s", b.Name[:at], b.Name)
			}
			seen[b.Name[:at]] = false
		}
	}
	return nil
}

func checkCallbackName(name string) error {
	switch {
	case name == "":
		return errors.New("eryx: a callback has no name")
	case len(name) > maxCallbackName:
		return fmt.Errorf("eryx: the name of a callback, %.40q…, is %d bytes long; %d are allowed", name, len(name), maxCallbackName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable):
		return fmt.Errorf("eryx: %q cannot be the name of a callback: it has characters that are not printable", name)
	case name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, ".."):
		return fmt.Errorf("eryx: %q cannot be the name of a callback: a part of it is empty", name)
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
