//go:build !windows

package build

// Where a virtual environment has its programs.
const (
	binDir     = "bin"
	pythonName = "python"
)
