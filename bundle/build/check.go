package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/stdlib"
)

// complete checks what can be checked before any work is done, and fills in
// defaults.
func (o *Options) complete() error {
	if o.Output == "" {
		return errors.New("no path was given for the bundle")
	}
	for _, path := range []string{o.Output, o.LinkMap} {
		if err := checkOutput(path); err != nil {
			return err
		}
	}
	for _, module := range o.Preimport {
		if err := checkModuleName(module); err != nil {
			return err
		}
	}
	switch o.Stdlib {
	case "":
		o.Stdlib = stdlib.Trimmed
	case stdlib.Trimmed, stdlib.Full:
	default:
		return fmt.Errorf("unknown profile %q of the standard library: %q and %q exist", o.Stdlib, stdlib.Trimmed, stdlib.Full)
	}
	if o.StackSize == 0 {
		o.StackSize = DefaultStackSize
	}
	if o.SetupName == "" {
		o.SetupName = "<setup>"
	}
	if !utf8.Valid(o.Setup) {
		return fmt.Errorf("the setup script %s is not UTF-8: save it in that encoding", o.SetupName)
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	return nil
}

// checkOutput refuses what cannot become a file, which writing it would find
// out only when all the work is done.
func checkOutput(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &atomicfile.WriteError{Path: path, Err: errors.New("exists and is not a regular file")}
	}
	info, err := os.Stat(filepath.Dir(path))
	if err == nil && !info.IsDir() {
		err = errors.New(filepath.Dir(path) + " is not a directory")
	}
	if err != nil {
		return &atomicfile.WriteError{Path: path, Err: err}
	}
	return nil
}

// checkModuleName refuses what cannot be a dotted name before the guest is
// asked, because the answer would be hard to read.
func checkModuleName(name string) error {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return r != '_' && !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
		}) {
			return fmt.Errorf("%q is not a module's name; give names as in an import statement", name)
		}
	}
	return nil
}
