package base

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
)

// identify tells what a frame's content is by looking at it: the name of a
// WebAssembly library, [stdlibName] for Python's standard library, "" for
// anything else.
func identify(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\x00asm\x01\x00\x00\x00")):
		return libraryName(content)
	case len(content) > 262 && string(content[257:262]) == "ustar":
		if isStdlib(content) {
			return stdlibName
		}
	}
	return ""
}

// libraryName returns the module name of a library, "" for a module that is
// none: its first section is the custom section dylink.0, and the name is in
// subsection 0 of the custom section name.
func libraryName(wasm []byte) string {
	rest := wasm[8:]
	for first := true; len(rest) > 0; first = false {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return ""
		}
		body := rest[1+n : 1+n+int(size)]
		rest = rest[1+n+int(size):]
		name, payload := "", body
		if id == 0 {
			name, payload = vector(body)
		}
		if first && name != "dylink.0" {
			return ""
		}
		if name != "name" {
			continue
		}
		if len(payload) == 0 || payload[0] != 0 {
			return ""
		}
		subsection, _ := vector(payload[1:])
		module, _ := vector([]byte(subsection))
		return module
	}
	return ""
}

// vector reads a length and as many bytes.
func vector(data []byte) (content string, rest []byte) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return "", nil
	}
	return string(data[n : n+int(size)]), data[n+int(size):]
}

// isStdlib looks for the module without which Python does not start.
func isStdlib(archive []byte) bool {
	const needed = "encodings/__init__.py"
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if err != nil { // the end, or no archive
			return false
		}
		if header.Name == needed || header.Name == "./"+needed {
			return true
		}
	}
}
