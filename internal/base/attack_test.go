package base

import (
	"strings"
	"testing"
)

// TestAttackSecretsInMessages looks for passwords and signatures of addresses
// in what is printed, which ends up in logs.
func TestAttackSecretsInMessages(t *testing.T) {
	for _, source := range []string{
		"https://user:secret@host.invalid/w.whl",
		"https://user:se@secret@host.invalid/w.whl",
		"https://secret@host.invalid/w.whl",
		"https://host.invalid/w.whl?X-Signature=secret&y=1",
		"https://host.invalid/w.whl#secret",
		"https://user:secret%zz@host.invalid/w.whl",
		"https://user:sec/secret@host.invalid/w.whl",
		"ftp://user:secret@host.invalid/w.whl",
	} {
		_, err := Load(t.Context(), Options{Source: source, Offline: true})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", source, err)
		}
	}
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
