// Command eryx-build makes bundles of Python for package eryx and runs scripts
// in them. It is flags and printing: everything it does can be called from Go,
// through packages bundle/build, bundle and eryx.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
