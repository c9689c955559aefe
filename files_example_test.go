package eryx_test

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"testing/fstest"

	"github.com/eryx-build/eryx"
)

// Files go in before a script runs and come out after it.
func ExampleFiles() {
	rt := open()
	defer rt.Close()
	files := eryx.NewFiles(1 << 20)
	if err := files.WriteFile("home/user/in.txt", []byte("some text")); err != nil {
		log.Fatal(err)
	}
	result, err := rt.Execute(context.Background(), `
open("out.txt", "w").write(open("in.txt").read().title())
`, &eryx.SandboxConfig{Files: files})
	if err != nil {
		log.Fatal(err)
	}
	out, err := fs.ReadFile(result.Files, "home/user/out.txt")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", out)
	// Output: Some Text
}

// A mount shows a directory of the host's, as Dir, or any fs.FS.
func ExampleMount() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `
import os
result = sorted(os.listdir("/data"))
`, &eryx.SandboxConfig{Mounts: []eryx.Mount{
		{Path: "/data", FS: fstest.MapFS{"a.csv": {}, "b.csv": {}}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", result.Value)
	// Output: ["a.csv", "b.csv"]
}
