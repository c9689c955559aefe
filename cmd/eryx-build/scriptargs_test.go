package main

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommandLine(t *testing.T) {
	code := func(s string) *string { return &s }
	for _, test := range []struct {
		args string
		want commandLine
	}{
		{"", commandLine{}},
		{"x.py", commandLine{file: "x.py"}},
		{"x.py -c --timeout -", commandLine{file: "x.py", args: []string{"-c", "--timeout", "-"}}},
		{"- a", commandLine{file: "-", args: []string{"a"}}},
		{"-c print(1) --help -q", commandLine{code: code("print(1)"), args: []string{"--help", "-q"}}},
		{"-cprint(1) a", commandLine{code: code("print(1)"), args: []string{"a"}}},
		{"--command print(1) a", commandLine{code: code("print(1)"), args: []string{"a"}}},
		{"--command=print(1) a", commandLine{code: code("print(1)"), args: []string{"a"}}},
		{"-c", commandLine{options: []string{"-c"}}},
		{"b.eryx", commandLine{bundle: "b.eryx"}},
		{"b.eryx b.eryx a", commandLine{bundle: "b.eryx", file: "b.eryx", args: []string{"a"}}},
		{"-q b.eryx --timeout 5s -c x y", commandLine{options: []string{"-q", "--timeout", "5s"}, bundle: "b.eryx", code: code("x"), args: []string{"y"}}},
		{"--timeout=5s --max-memory -c x.py", commandLine{options: []string{"--timeout=5s", "--max-memory", "-c"}, file: "x.py"}},
		{"-qe A=1 x.py", commandLine{options: []string{"-qe", "A=1"}, file: "x.py"}},
		{"-v./a:/e x.py a", commandLine{options: []string{"-v./a:/e"}, file: "x.py", args: []string{"a"}}},
		{"-v./c:/v x.py", commandLine{options: []string{"-v./c:/v"}, file: "x.py"}},
		{"-qv ./a:/e x.py", commandLine{options: []string{"-qv", "./a:/e"}, file: "x.py"}},
		{"-eA=1 -eB x.py", commandLine{options: []string{"-eA=1", "-eB"}, file: "x.py"}},
		{"-q x.py", commandLine{options: []string{"-q"}, file: "x.py"}},
		{"-Q x.py", commandLine{options: []string{"-Q"}, file: "x.py"}},
		{"--timeout", commandLine{options: []string{"--timeout"}}},
		{"--unknown x.py", commandLine{options: []string{"--unknown"}, file: "x.py"}},
		{"-- -odd.py a", commandLine{file: "-odd.py", args: []string{"a"}}},
		{"b.eryx -- x.py -- a", commandLine{bundle: "b.eryx", file: "x.py", args: []string{"--", "a"}}},
	} {
		a := &app{stderr: io.Discard}
		flags := a.runCommand().Flags()
		got := splitCommandLine(flags, strings.Fields(test.args), func(name string) bool { return strings.HasSuffix(name, ".eryx") })
		if len(got.args) == 0 {
			got.args = nil
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(commandLine{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.args, diff)
		}
	}
}
