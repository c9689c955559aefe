package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdWheel makes a wheel of a directory's files: wheel FILE DIR [OPTION...].
// An option is a line of METADATA, such as "Requires-Dist: beta>=2", or one
// that makes a wheel that is to be refused: +record lists a wrong digest,
// +traverse has a member that leads out, +bomb one of gigabytes, +elf and
// +foreign a native module of another platform and of another Python, and
// +unresolved one that needs what nothing has.
func cmdWheel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: wheel FILE DIR [OPTION...]")
	}
	file, options := args[0], args[2:]
	parts := strings.SplitN(strings.TrimSuffix(filepath.Base(file), ".whl"), "-", 3)
	name, version, tag := parts[0], parts[1], parts[2]
	members := map[string][]byte{}
	root := ts.MkAbs(args[1])
	ts.Check(fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		members[path], err = os.ReadFile(filepath.Join(root, path))
		return err
	}))
	metadata := fmt.Sprintf("Metadata-Version: 2.4\nName: %s\nVersion: %s\nLicense-Expression: MIT\n", name, version)
	has := func(option string) bool { return slices.Contains(options, option) }
	for _, line := range options {
		if !strings.HasPrefix(line, "+") {
			metadata += line + "\n"
		}
	}
	info := name + "-" + version + ".dist-info/"
	members[info+"METADATA"] = []byte(metadata)
	members[info+"WHEEL"] = fmt.Appendf(nil, "Wheel-Version: 1.0\nRoot-Is-Purelib: %v\nTag: %s\n", strings.HasSuffix(tag, "-any"), tag)
	if has("+traverse") {
		members["../../outside.py"] = []byte("evil = True\n")
	}
	if has("+elf") {
		members[name+"/_fast.cpython-314-wasm32-wasi.so"] = []byte("\x7fELF\x02\x01\x01\x00" + strings.Repeat("\x00", 64))
	}
	if has("+foreign") {
		so, err := os.ReadFile(filepath.Join(ts.Getenv("NATIVES"), "plus.cpython-314-wasm32-wasi.so"))
		ts.Check(err)
		members[name+"/plus.cpython-312-wasm32-wasi.so"] = so
	}
	if has("+unresolved") {
		members[name+"/_fast.cpython-314-wasm32-wasi.so"] = []byte("\x00asm\x01\x00\x00\x00" +
			"\x00\x0f\x08dylink.0\x01\x04\x00\x00\x00\x00" + // no memory, no table
			"\x01\x04\x01\x60\x00\x00" + // a type: no parameter, no result
			"\x02\x0f\x01\x03env\x07nowhere\x00\x00") // an import of it
	}
	var record strings.Builder
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add := func(path string, data []byte) {
		f, err := w.Create(path)
		ts.Check(err)
		_, err = f.Write(data)
		ts.Check(err)
	}
	for _, path := range sorted(members) {
		add(path, members[path])
		sum := sha256.Sum256(members[path])
		if has("+record") && strings.HasSuffix(path, ".py") {
			sum[0] ^= 1
		}
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", path, base64.RawURLEncoding.EncodeToString(sum[:]), len(members[path]))
	}
	if has("+bomb") {
		f, err := w.Create(name + "/zeros.bin")
		ts.Check(err)
		block := make([]byte, 1<<20)
		for range 600 {
			_, err = f.Write(block)
			ts.Check(err)
		}
		fmt.Fprintf(&record, "%s/zeros.bin,,\n", name)
	}
	add(info+"RECORD", []byte(record.String()+info+"RECORD,,\n"))
	ts.Check(w.Close())
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(file)), 0o777))
	ts.Check(os.WriteFile(ts.MkAbs(file), out.Bytes(), 0o666))
}

func sorted(members map[string][]byte) []string {
	var names []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
