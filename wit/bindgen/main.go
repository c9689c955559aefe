// Command bindgen writes the Go side of the sandbox's world.
//
// It reads the WIT files and writes, for each imported interface, a Go
// interface for the host to implement and the functions that lift a guest's
// arguments, call it and lower its results; and for each exported interface, a
// client that does the opposite over an engine's instance. The generated code
// needs nothing but the package internal/abi, which holds what would otherwise
// be repeated: bounds, alignment and UTF-8 checks.
//
// Types map plainly: records are structs, enums and flags are integers,
// variants are structs with a Case and one field for each payload, option is
// abi.Option, handles are integers of their resource's own type, list<u8> is
// []byte. A result is (value, error): an error that is exactly the function's
// error type is the guest's result, any other error ends the guest.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.bytecodealliance.org/wit"
)

// output is where the bindings of one direction go.
type output struct {
	dir, pkg string
	imports  bool
}

var outputs = []output{
	{dir: "internal/wasi/bindings", pkg: "bindings", imports: true},
	{dir: "internal/guest", pkg: "guest"},
}

func main() {
	root := flag.String("root", ".", "the repository's root")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "bindgen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generateAll(root)
	if err != nil {
		return err
	}
	for _, out := range outputs {
		old, err := filepath.Glob(filepath.Join(root, out.dir, "*"+suffix))
		if err != nil {
			return err
		}
		for _, path := range old {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if _, kept := files[filepath.ToSlash(rel)]; !kept {
				if err := os.Remove(path); err != nil {
					return err
				}
			}
		}
	}
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path+".tmp", content, 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			return err
		}
	}
	return nil
}

// generateAll gives the content of every generated file by its path from the
// root of the repository.
func generateAll(root string) (map[string][]byte, error) {
	dir, err := filepath.Abs(filepath.Join(root, "wit"))
	if err != nil {
		return nil, err
	}
	resolve, err := wit.LoadWIT(dir)
	if err != nil {
		return nil, err
	}
	var world *wit.World
	for _, w := range resolve.Worlds {
		if w.Match("eryx:sandbox/sandbox") {
			world = w
		}
	}
	if world == nil {
		return nil, fmt.Errorf("%s has no world eryx:sandbox/sandbox", dir)
	}
	files := map[string][]byte{}
	for _, out := range outputs {
		generated, err := generate(world, out)
		if err != nil {
			return nil, err
		}
		for name, content := range generated {
			files[out.dir+"/"+name] = content
		}
	}
	return files, nil
}

// worldName is the name of an interface in core modules.
func worldName(face *wit.Interface) string {
	id := face.Package.Name
	id.Extension = *face.Name
	return strings.ReplaceAll(id.String(), "%", "")
}
