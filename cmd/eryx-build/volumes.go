package main

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/eryx-build/eryx"
)

// volumesValue is a repeatable flag that takes directories and files to mount,
// as SRC:DST, SRC:DST:ro or SRC:DST:rw.
type volumesValue []eryx.Mount

func (v *volumesValue) Set(text string) error {
	m, err := parseVolume(text)
	if err != nil {
		return err
	}
	*v = append(*v, m)
	return nil
}

// parseVolume takes a volume apart from its end, for a name of the host's
// may have colons in its name, at least that of a drive.
func parseVolume(text string) (eryx.Mount, error) {
	rest, writable := text, true
	if before, mode, ok := cutLast(text); ok && (mode == "ro" || mode == "rw") {
		rest, writable = before, mode == "rw"
	}
	source, at, ok := cutLast(rest)
	switch {
	case !ok || source == "" || at == "":
		return eryx.Mount{}, fmt.Errorf("not of the form SRC:DST, SRC:DST:ro or SRC:DST:rw")
	case !strings.HasPrefix(at, "/"):
		return eryx.Mount{}, fmt.Errorf("%q is not absolute: DST is where the script sees it, such as /data", at)
	case path.Clean(at) == "/":
		return eryx.Mount{}, fmt.Errorf("the root cannot be replaced: choose a directory such as /data")
	}
	info, err := os.Stat(source)
	if err != nil {
		return eryx.Mount{}, err
	}
	m := eryx.Mount{Path: path.Clean(at), Writable: writable}
	switch {
	case info.IsDir():
		m.Dir = source
	case info.Mode().IsRegular():
		m.File = source
	default:
		return eryx.Mount{}, fmt.Errorf("%s is neither a directory nor a file", source)
	}
	return m, nil
}

// cutLast cuts at the last colon.
func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func (v *volumesValue) String() string { return "" }

func (v *volumesValue) Type() string { return "SRC:DST[:ro]" }
