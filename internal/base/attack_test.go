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
}
