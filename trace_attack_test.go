package eryx_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/eryx-build/eryx"
)

// stolen is how a script gets at the callbacks of a trace, as callbacks.
const stolen = `import sys
m = sys.monitoring
e = m.events
tool = [i for i in range(6) if m.get_tool(i) == "eryx"][0]
callbacks = [m.register_callback(tool, event, None)
    for event in (e.PY_START, e.PY_RESUME, e.PY_RETURN, e.PY_YIELD, e.PY_UNWIND, e.LINE, e.RAISE, e.RERAISE, e.EXCEPTION_HANDLED)]
assert None not in callbacks
code = (lambda: 0).__code__
`

// TestAttackTraceCallbacksCalledWithAnything gives the callbacks what
// sys.monitoring never would.
func TestAttackTraceCallbacksCalledWithAnything(t *testing.T) {
	var log eryx.TraceLog
	result := mustExecute(t, stolen+`
class Liar:
    __class__ = ValueError
    __traceback__ = property(lambda self: 1 / 0)
class Meta(type):
    def __getattribute__(self, name): raise SystemError(name)
class Odd(Exception, metaclass=Meta):
    def __getattribute__(self, name): raise SystemError(name)
    def __str__(self): raise SystemError("str")
class Text(str):
    def __str__(self): raise SystemError("text")
    def __eq__(self, other): raise SystemError("text")
things = [None, 1, -1, 2**31, -2**31, 2**40, 2**200, 1.5, "", b"", "\ud800", [], {}, type, ValueError, ValueError(1),
    Liar(), Liar, Odd, Odd("x", Text("y")), code, sys._getframe(), callbacks[0],
    code.replace(co_filename=Text("/mine"), co_qualname=Text("q")),
    code.replace(co_filename="\ud800", co_qualname="\udfff" * 5000),
    code.replace(co_filename="/" + "é" * 5000), code.replace(co_firstlineno=0)]
for f in callbacks:
    f()
    for a in things:
        f(a)
        for b in things:
            f(a, b)
            f(a, b, b)
            for c in things:
                f(a, b, c)
        f(*[a] * 50)
print("alive")
`, &eryx.SandboxConfig{Trace: eryx.Trace{Handler: log.Handle}, Timeout: eryx.Unlimited})
	if string(result.Stdout) != "alive\n" {
		t.Error(string(result.Stdout))
	}
	for _, e := range log.Events() {
		if !utf8.ValidString(e.File + e.Function + e.Type + e.Message) {
			t.Errorf("%+v is not UTF-8", e)
		}
		if len(e.File) > 1024 || len(e.Function) > 256 || len(e.Type) > 256 || len(e.Message) > 4096 {
			t.Errorf("an event with %d bytes", len(e.File)+len(e.Function)+len(e.Type)+len(e.Message))
		}
	}
}

// TestAttackTraceSwitchedOff has a script end its trace, and take its place.
func TestAttackTraceSwitchedOff(t *testing.T) {
	for name, source := range map[string]string{
		"freed":    "m.free_tool_id(tool)",
		"taken":    "m.free_tool_id(tool)\nm.use_tool_id(tool, 'eryx')\nm.set_events(tool, e.LINE)",
		"replaced": "m.register_callback(tool, e.PY_START, lambda *a: 1 / 0)",
		"deleted":  "import sys\ndel sys.monitoring\nfor name in list(sys.modules): sys.modules[name] = None",
		"own":      "sys.modules['eryx_support.tracing'].__dict__.clear()",
	} {
		t.Run(name, func(t *testing.T) {
			events := 0
			_, err := execute(t, stolen+source+"\ndef f(): pass\nf()\n", &eryx.SandboxConfig{
				Trace: eryx.Trace{Handler: func(eryx.TraceEvent) { events++ }},
			})
			// A script can break its own interpreter, but only that.
			if _, script := errors.AsType[*eryx.PythonError](err); err != nil && !script {
				t.Error(err)
			}
			if events == 0 {
				t.Error("no events before it")
			}
		})
	}
}

// TestAttackTraceOfEndlessNames makes functions until the host would remember
// more names than it may, and lets go of as many.
func TestAttackTraceOfEndlessNames(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		calls  int
	}{
		// Each name is longer than what is kept of it, and 1280 bytes are.
		"kept": {`
kept = []
for i in range(8000):
    c = code.replace(co_filename="/" + str(i) + "x" * 2000, co_qualname="y" * 3000)
    kept.append(c)
    eval(c)
`, (8 << 20) / (1024 + 256)},
		"let go": {`
for i in range(8000):
    eval(code.replace(co_filename="/" + str(i) + "x" * 2000, co_qualname="y" * 3000))
`, 8000},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			_, err := execute(t, "code = (lambda: 0).__code__\n"+c.source, &eryx.SandboxConfig{
				Timeout: eryx.Unlimited,
				Trace: eryx.Trace{Kinds: eryx.TraceCall, Handler: func(e eryx.TraceEvent) {
					if e.Function != "<module>" {
						calls++
					}
				}},
			})
			if err != nil {
				t.Error(err)
			}
			if calls < c.calls-2 || calls > c.calls {
				t.Errorf("%d calls are traced, not %d", calls, c.calls)
			}
		})
	}
}

// TestAttackTraceOfHugeTexts raises what takes the guest's memory to say.
func TestAttackTraceOfHugeTexts(t *testing.T) {
	longest := 0
	result := mustExecute(t, `
big = "é" * 10_000_000
for e in ValueError(big), KeyError(big), OSError(44, big), type("T" * 10_000_000, (Exception,), {})("x"):
    try: raise e
    except Exception: pass
print("alive")
`, &eryx.SandboxConfig{Trace: eryx.Trace{Kinds: eryx.TraceException, Handler: func(e eryx.TraceEvent) {
		longest = max(longest, len(e.Message), len(e.Type))
		if !utf8.ValidString(e.Message) {
			t.Error("not UTF-8")
		}
	}}})
	if string(result.Stdout) != "alive\n" || longest != 4096 {
		t.Errorf("%q, longest text %d bytes", result.Stdout, longest)
	}
}
