package image

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"
)

// Sizes and magic numbers of the zip structures that an image is made of
// (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16).
const (
	localSignature   = 0x04034b50
	localSize        = 30
	centralSignature = 0x02014b50
	centralSize      = 46
	endSignature     = 0x06054b50
	endSize          = 22

	versionNeeded = 20        // directories
	madeBy        = 3<<8 | 20 // Unix, so that the modes below count
	flagUTF8      = 1 << 11
	dosDate       = 1<<5 | 1 // 1980-01-01
	fileMode      = 0o100444 << 16
	dirMode       = 0o040555<<16 | 0x10

	maxMembers = 1<<16 - 2
	maxSize    = 1<<32 - 1
)

// MaxName is the length limit of one path component, in bytes.
const MaxName = 255

// MaxPath is the length limit of a path, in bytes.
const MaxPath = 4095

// ModTime is the modification time of everything in every image.
var ModTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// FormatError says why bytes are not an image.
type FormatError struct {
	Offset int // where in the image, in bytes
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("not a file-tree image: %s (at byte %d)", e.Reason, e.Offset)
}

// PathError says why a file cannot be put into an image.
type PathError struct {
	Path   string
	Reason string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("cannot put %q into a file-tree image: %s", e.Path, e.Reason)
}

// ErrTooLarge is returned for a tree that an image has no room for.
var ErrTooLarge = errors.New("the tree is too large for one image, which holds 65534 files and directories and 4 GiB")

// checkPath returns why path is not one an image may hold, or "".
func checkPath(path string) string {
	switch {
	case len(path) > MaxPath:
		return fmt.Sprintf("the path is longer than %d bytes", MaxPath)
	case !utf8.ValidString(path):
		return "the path is not UTF-8"
	case strings.IndexByte(path, 0) >= 0:
		return "the path contains a NUL"
	case path == "." || !fs.ValidPath(path):
		return "the path is not a clean relative path"
	}
	for name := range strings.SplitSeq(path, "/") {
		if len(name) > MaxName {
			return fmt.Sprintf("a component is longer than %d bytes", MaxName)
		}
	}
	return ""
}

// split divides a path into its directory, "" for the root, and its name.
func split(path string) (dir, name string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}
