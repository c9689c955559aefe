package main

import (
	"fmt"
	"strings"
)

// expectation is what is known about a test.
type expectation struct {
	reason  string
	leftOut bool // it is not run
}

// parseExpected reads lines of "fail ID" and "leave out ID", each under the
// comment that gives its reason.
func parseExpected(text string) (map[string]expectation, error) {
	expected := map[string]expectation{}
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

// fileOf is the file of a test's id.
func fileOf(id string) string {
	file, _, _ := strings.Cut(id, "::")
	return file
}
