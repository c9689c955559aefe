package eryx_test

import (
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestValue shows what becomes of the result variable.
func TestValue(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"", ""},
		{"results = 1", ""},
		{"result = None", "null"},
		{"result = True", "true"},
		{"result = 42", "42"},
		{"result = -1.5e300", "-1.5e+300"},
		{"result = 10 ** 30", "1000000000000000000000000000000"},
		{"result = 'ž\\n\"🐍'", `"ž\n\"🐍"`},
		{"result = []", "[]"},
		{"result = (1, [2, {'a': None}])", `[1, [2, {"a": null}]]`},
		{"result = {1: 2, 'b': 3.5, None: 0}", `{"1": 2, "b": 3.5, "null": 0}`},
		{"from enum import IntEnum\nclass E(IntEnum): A = 3\nresult = E.A", "3"},
		{"from collections import OrderedDict, namedtuple\nresult = [OrderedDict(a=1), namedtuple('P', 'x y')(1, 2)]", `[{"a": 1}, [1, 2]]`},
		{"result = 1\ndel result", ""},
		{"def f():\n    result = 1\nf()", ""},
		{"def f():\n    global result\n    result = 7\nf()", "7"},
		{"import json\njson.dumps = json.JSONEncoder = None\nresult = {'a': 1}", `{"a": 1}`},
		{"import builtins\nfor n in ('isinstance', 'str', 'len', 'type'): delattr(builtins, n)\nresult = {'a': [1.0]}", `{"a": [1.0]}`},
		{"await __import__('asyncio').sleep(0)\nresult = 'async'", `"async"`},
	} {
		result := mustExecute(t, test.source, nil)
		if string(result.Value) != test.want || result.ValueError != nil {
			t.Errorf("%s\ngave %s, error %v; want %s", test.source, result.Value, result.ValueError, test.want)
		}
		if (result.Value == nil) != (test.want == "") {
			t.Errorf("%s\na value that is not set has to be nil, and only that: %#v", test.source, result.Value)
		}
	}
}

// TestNoValue shows that a value which JSON cannot express is an error of its
// own that says why, beside the successful execution.
func TestNoValue(t *testing.T) {
	for _, test := range []struct{ source, reason string }{
		{"result = float('nan')", "ValueError"},
		{"result = [float('inf')]", "ValueError"},
		{"result = object()", "object"},
		{"result = {1, 2}", "set"},
		{"result = b'x'", "bytes"},
		{"result = 1j", "complex"},
		{"result = lambda: 1", "function"},
		{"result = {(1, 2): 3}", "keys"},
		{"result = []\nresult.append(result)", "ircular"},
		{"result = {}\nresult['a'] = [result]", "ircular"},
		{"result = 1\nfor _ in range(100_000): result = [result]", "RecursionError"},
		{"class D(dict):\n    def items(self): raise KeyError('mine')\nresult = D(a=1)", "mine"},
		{"class D(dict):\n    def items(self): raise SystemExit(5)\nresult = D(a=1)", "SystemExit"},
		{"class S(str):\n    def __str__(self): raise Exception\nclass E(Exception):\n    __str__ = None\nclass D(dict):\n    def items(self): raise E\nresult = D(a=1)", ""},
	} {
		result := mustExecute(t, test.source+"\nprint('done')", nil)
		if result.Value != nil || result.ValueError == nil || !strings.Contains(result.ValueError.Error(), test.reason) {
			t.Errorf("%s\ngave value %s, error %v; want one that says %q", test.source, result.Value, result.ValueError, test.reason)
		}
		if string(result.Stdout) != "done\n" {
			t.Errorf("%s\nprinted %q", test.source, result.Stdout)
		}
	}
	assertWorks(t)
}

func TestResultName(t *testing.T) {
	config := &eryx.SandboxConfig{ResultName: "answer"}
	if result := mustExecute(t, "result = 1\nanswer = 42", config); string(result.Value) != "42" {
		t.Errorf("the value of answer is %s", result.Value)
	}
	if result := mustExecute(t, "result = 1", config); result.Value != nil {
		t.Errorf("answer was not set, and has the value %s", result.Value)
	}
	// A name that cannot be written in Python still names an entry of globals().
	if result := mustExecute(t, "globals()['a b'] = 1", &eryx.SandboxConfig{ResultName: "a b"}); string(result.Value) != "1" {
		t.Errorf("the value is %s", result.Value)
	}
	large := mustExecute(t, "result = 'x' * (4 << 20)", nil)
	if len(large.Value) != 4<<20+2 {
		t.Errorf("of 4 MiB %d bytes arrived", len(large.Value))
	}
}
