package build

// Where a virtual environment has its programs.
const (
	binDir     = "Scripts"
	pythonName = "python.exe"
)
