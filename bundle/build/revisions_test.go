package build_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx/bundle/build"
)

var update = flag.Bool("update", false, "record what the stages make now")

// golden has, by stage, what it made of which inputs in which revision.
const golden = "testdata/revisions.json"

// TestRevisions builds with fixed options in a cache that held the base only,
// and compares what each stage makes with what was recorded. A stage that
// makes something else of the same inputs needs another revision: otherwise
// caches, the tests' own among them, keep giving what it made before.
//
// Native code is left out, for it depends on the processor.
func TestRevisions(t *testing.T) {
	now, err := build.StageOutputs(t.Context(), build.Options{
		Output: filepath.Join(t.TempDir(), "python.eryx"), Preimport: preimport, CacheDir: warm(t), Offline: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]build.StageOutput{}
	if text, err := os.ReadFile(golden); err == nil {
		var list []build.StageOutput
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		for _, output := range list {
			recorded[output.Stage] = output
		}
	} else if !*update {
		t.Fatal(err)
	}
	const how = "go test ./bundle/build -run TestRevisions -update"
	stale := false
	for _, is := range now {
		was, known := recorded[is.Stage]
		switch {
		case known && was.Inputs == is.Inputs && was.Output != is.Output && was.Revision == is.Revision:
			t.Errorf("stage %s makes something else of the same inputs than before: raise its revision in inputs.go, for caches hold what revision %d made, and then run `%s`",
				is.Stage, is.Revision, how)
		case was != is:
			stale = true
		}
	}
	switch {
	case t.Failed() || !stale && len(recorded) == len(now):
	case *update:
		text, err := json.MarshalIndent(now, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		write(t, golden, append(text, '\n'))
	default:
		// Inputs are the base, runtime-src, what earlier stages make and the
		// version.
		t.Errorf("the inputs of stages have changed, or their revisions, so that what was recorded says nothing: run `%s` and commit %s", how, golden)
	}
}
