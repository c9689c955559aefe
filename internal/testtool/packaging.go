package testtool

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PackagingVersion is what `make setup` installs of the project "packaging".
const PackagingVersion = "26.3"

// Packaging returns a command that runs Python with the project "packaging",
// 26 or newer: the one that `make setup` installed, or one that is installed
// for $PYTHON, which is python3 by default. Versions before 26 read some
// specifiers otherwise.
func Packaging(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	const check = `import packaging, sys; sys.exit(int(packaging.__version__.split(".")[0]) < 26)`
	python := Python(t)
	env := append(os.Environ(),
		"PYTHONPATH="+filepath.Join(Root(t), ".tools", "packaging-"+PackagingVersion),
		"PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	probe := exec.Command(python, "-c", check)
	probe.Env = env
	if out, err := probe.CombinedOutput(); err != nil {
		t.Fatalf("this test needs Python with the package packaging, 26 or newer: run `make setup`\n%s", out)
	}
	cmd := exec.Command(python, args...)
	cmd.Env = env
	return cmd
}

// Python is the path of a Python on this machine: $PYTHON, or python3.
func Python(t testing.TB) string {
	t.Helper()
	name := os.Getenv("PYTHON")
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs Python 3.9 or newer: install it, or put its path in $PYTHON: %v", err)
	}
	return path
}
