package pyclient

import (
	"strings"
	"testing"
)

// TestAttackSecretsInMessages looks for passwords and signatures of addresses
// in what is passed on of a client's output, which ends up in logs.
func TestAttackSecretsInMessages(t *testing.T) {
	for _, line := range []string{
		"ERROR: Could not fetch https://user:secret@host.invalid/simple/",
		"ERROR: Could not fetch https://user:se@secret@host.invalid/simple/",
		"ERROR: 403 Client Error: Forbidden for url: https://host.invalid/w.whl?token=secret",
		"ERROR: fetching (https://host.invalid/w.whl?token=secret): refused",
	} {
		if text := condense(line); strings.Contains(text, "secret") || !strings.Contains(text, "https://host.invalid/") {
			t.Errorf("%s: %s", line, text)
		}
	}
}
