package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/spf13/pflag"
)

// TestDocumentedFlagsExist looks for every flag that docs/building.md speaks
// of, and there for every flag of the command that it describes.
func TestDocumentedFlagsExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/building.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, match := range regexp.MustCompile(`--([a-z][a-z-]*)`).FindAllSubmatch(text, -1) {
		documented[string(match[1])] = true
	}
	flags := new(app).bundleCommand().Flags()
	for name := range documented {
		if flags.Lookup(name) == nil {
			t.Errorf("docs/building.md has --%s, which does not exist", name)
		}
	}
	// These are about the command line rather than about bundles.
	plain := map[string]bool{"output": true, "default": true, "quiet": true, "stack-size": true}
	flags.VisitAll(func(f *pflag.Flag) {
		if !documented[f.Name] && !plain[f.Name] {
			t.Errorf("docs/building.md lacks --%s", f.Name)
		}
	})
}
