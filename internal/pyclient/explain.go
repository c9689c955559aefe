package pyclient

// Diagnose condenses the output of a pip or uv that was run elsewhere, and
// failed with err, to one cause.
func Diagnose(output string, err error) *Failure { return diagnose(output, err) }
