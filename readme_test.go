package eryx_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme does what README.md says: its commands, and its program.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// What the commands make goes here instead of into the tree.
	dir := t.TempDir()
	made := []string{"BIN=" + filepath.Join(dir, "bin"), "BUNDLE=" + filepath.Join(dir, "dist", "python.eryx")}

	do := func(cmd *exec.Cmd) string {
		t.Helper()
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, output)
		}
		return string(output)
	}
	commands := 0
	for line := range strings.Lines(string(text)) {
		line, isCommand := strings.CutPrefix(line, "    ")
		if !isCommand {
			continue
		}
		commands++
		switch line = strings.TrimSpace(line); {
		case line == "make bundle":
			cmd := exec.CommandContext(t.Context(), "make", append([]string{"bundle"}, made...)...)
			cmd.Dir = root
			if output := do(cmd); !strings.Contains(output, `"platform": "wasi"`) {
				t.Errorf("%s printed\n%s", line, output)
			}
		case line == "make test": // which is what runs this
			cmd := exec.CommandContext(t.Context(), "make", "--dry-run", "test")
			cmd.Dir = root
			if output := do(cmd); !strings.Contains(output, "./...") {
				t.Errorf("%s would do\n%s", line, output)
			}
		case line == "make numpy": // minutes, the first time; the example is what it ends with
			cmd := exec.CommandContext(t.Context(), "make", "--dry-run", "numpy")
			cmd.Dir = root
			if output := do(cmd); !strings.Contains(output, "bundle --no-project -p numpy==") || !strings.Contains(output, "./examples/numpy dist/numpy.eryx") {
				t.Errorf("%s would do\n%s", line, output)
			}
		case strings.HasPrefix(line, "bin/eryx-build run "):
			cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
			cmd.Dir = dir
			if output := do(cmd); output != "hello from wasi\n" {
				t.Errorf("%s printed %q", line, output)
			}
		default:
			t.Errorf("what is %q to do? add it here", line)
		}
	}
	if commands != 4 {
		t.Errorf("README.md has %d commands", commands)
	}

	_, program, found := strings.Cut(string(text), "```go\n")
	program, _, ended := strings.Cut(program, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no program")
	}
	if lines := strings.Count(program, "\n"); lines > 30 {
		t.Errorf("the program has %d lines", lines)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "examples", "readme", "main.go"): filepath.Join(dir, "main.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "program.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./examples/readme")
	build.Dir = root
	do(build)
	run := exec.CommandContext(t.Context(), binary)
	run.Dir = dir
	if output := do(run); output != "hello\n42\n" {
		t.Errorf("the program printed %q", output)
	}
}
