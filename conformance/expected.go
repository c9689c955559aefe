package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// expectation is what is known about a test, or, where the id ends in ".*",
// about the tests whose ids begin with what is before the asterisk: some fail,
// and others may pass.
type expectation struct {
	reason  string
	leftOut bool // it is not run
}

// expectations are by id.
type expectations map[string]expectation

// parseExpected reads lines of "fail ID" and "leave out ID", each under the
// comment that gives its reason.
func parseExpected(text string) (expectations, error) {
	expected := expectations{}
	reason, inReason := "", false
	for i, line := range strings.Split(text, "\n") {
		comment, isComment := strings.CutPrefix(line, "#")
		fails, isFail := strings.CutPrefix(line, "fail ")
		out, isOut := strings.CutPrefix(line, "leave out ")
		switch {
		case line == "":
			reason = ""
		case isComment:
			if !inReason {
				reason = ""
			}
			reason = strings.TrimSpace(reason + " " + strings.TrimSpace(comment))
		case !isFail && !isOut:
			return nil, fmt.Errorf("line %d: %q is neither a comment, nor begins with \"fail \" or \"leave out \"", i+1, line)
		default:
			id := fails
			if isOut {
				id = out
			}
			if _, ok := expected[id]; ok {
				return nil, fmt.Errorf("line %d: %s is listed twice", i+1, id)
			}
			if reason == "" {
				return nil, fmt.Errorf("line %d: %s has no reason above it", i+1, id)
			}
			expected[id] = expectation{reason, isOut}
		}
		inReason = isComment
	}
	return expected, nil
}

// of gives what is expected of a file's tests to fail, by id without the file,
// and the driver's arguments for those that are not to be run.
func (e expectations) of(file string) (failing expectations, leftOut []string) {
	failing = expectations{}
	for _, id := range slices.Sorted(maps.Keys(e)) {
		of, test, _ := strings.Cut(id, "::")
		switch {
		case of != file:
		case e[id].leftOut:
			leftOut = append(leftOut, "-"+test)
		default:
			failing[test] = e[id]
		}
	}
	return failing, leftOut
}

// find gives the id under which a test is expected to fail, or "".
func (e expectations) find(test string) string {
	if _, ok := e[test]; ok {
		return test
	}
	for id := range e {
		if prefix, ok := strings.CutSuffix(id, "*"); ok && strings.HasSuffix(prefix, ".") && strings.HasPrefix(test, prefix) {
			return id
		}
	}
	return ""
}

// report prints what is not as expected in a file, and gives how much that is. With
// all it prints the failures that are expected as well.
func report(out io.Writer, file string, o *outcome, failing expectations, all bool) int {
	surprises := 0
	met := map[string]bool{}
	for _, test := range slices.Sorted(maps.Keys(o.Failed)) {
		if id := failing.find(test); id != "" {
			met[id] = true
			if all {
				fmt.Fprintf(out, "failed %s::%s: %s\n", file, test, o.Failed[test])
			}
			continue
		}
		surprises++
		fmt.Fprintf(out, "FAILED %s::%s: %s\n", file, test, o.Failed[test])
	}
	for _, id := range slices.Sorted(maps.Keys(failing)) {
		if !met[id] {
			surprises++
			fmt.Fprintf(out, "PASSED %s::%s: expected to fail: %s\n", file, id, failing[id].reason)
		}
	}
	return surprises
}

// tally adds up the outcomes of files.
type tally struct{ counts map[string]int }

const lineFormat = "%-46s %5d passed %4d skipped %3d failed %3d not run"

// add counts a file's outcome and prints it.
func (t *tally) add(out io.Writer, file string, o *outcome) {
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	fmt.Fprintf(out, lineFormat+" %6.1f s\n", file, o.Counts["passed"], o.Counts["skipped"], len(o.Failed), o.Counts["left out"], o.Seconds)
	for kind, n := range o.Counts {
		t.counts[kind] += n
	}
	t.counts["failed"] += len(o.Failed)
}

func (t *tally) print(out io.Writer) {
	fmt.Fprintf(out, lineFormat+"\n", "all", t.counts["passed"], t.counts["skipped"], t.counts["failed"], t.counts["left out"])
}
