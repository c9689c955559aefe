// Files gives a script a directory to read and files of its own, and takes out
// what it made.
//
//	go run ./examples/files python.eryx DIRECTORY
package main

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: files BUNDLE DIRECTORY")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

const script = `
import json, pathlib

wanted = json.loads(pathlib.Path("wanted.json").read_text())
lines = {p.name: len(p.read_text().splitlines()) for p in sorted(pathlib.Path("/data").glob(wanted["pattern"]))}
pathlib.Path("report.json").write_text(json.dumps(lines))
`

func run(ctx context.Context, bundle, dir string) error {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	files := eryx.NewFiles(1 << 20) // bytes, at most
	if err := files.WriteFile("home/user/wanted.json", []byte(`{"pattern": "*.txt"}`)); err != nil {
		return err
	}
	result, err := rt.Execute(ctx, script, &eryx.SandboxConfig{
		Files:  files,
		Mounts: []eryx.Mount{{Path: "/data", Dir: dir}}, // read-only
	})
	if err != nil {
		return err
	}
	report, err := fs.ReadFile(result.Files, "home/user/report.json")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", report)
	return nil
}
