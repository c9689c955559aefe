package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/eryx-build/eryx/internal/testbundle"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"eryx-build": main})
}

// TestScripts runs the program as a user does. Scripts share one cache with
// the tests of other packages, in which the base and a bundle have been made;
// $BUNDLE is that bundle, and $PORT the port of a server that echoes.
// UPDATE_SCRIPTS=1 writes what commands print into the scripts that compare it.
func TestScripts(t *testing.T) {
	shared := testbundle.Dir(t)
	built := testbundle.Default(t)
	port := echo(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ERYX_CACHE", shared)
			env.Setenv("BUNDLE", built)
			env.Setenv("PORT", port)
			natives, err := filepath.Abs(filepath.Join("..", "..", "internal", "integration", "testdata", "natives"))
			env.Setenv("NATIVES", natives)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    cmdExits,
			"cut":      cmdCut,
			"flip":     cmdFlip,
			"reformat": cmdReformat,
			"mkzip":    cmdMakeZip,
			"same":     cmdSame,
			"wheel":    cmdWheel,
		},
	})
}

// echo is a server on loopback that sends back what it gets; it gives the port.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the listener was closed
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// cmdExits runs a command and checks its exit status: exits STATUS COMMAND...
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// cmdCut shortens a file: cut FILE BYTES, where negative BYTES count from its end.
func cmdCut(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	name := ts.MkAbs(args[0])
	if size < 0 {
		info, err := os.Stat(name)
		ts.Check(err)
		size += info.Size()
	}
	ts.Check(os.Truncate(name, size))
}

// cmdFlip changes one bit in the middle of a bundle's member: flip FILE MEMBER,
// where FILE may be a pattern for one file.
func cmdFlip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	names, err := filepath.Glob(name)
	ts.Check(err)
	if len(names) == 1 {
		name = names[0]
	}
	archive, err := zip.OpenReader(name)
	ts.Check(err)
	var at int64 = -1
	for _, member := range archive.File {
		if member.Name == args[1] {
			offset, err := member.DataOffset()
			ts.Check(err)
			at = offset + int64(member.CompressedSize64)/2
		}
	}
	ts.Check(archive.Close())
	if at < 0 {
		ts.Fatalf("%s has no member %s", args[0], args[1])
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	ts.Check(err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	ts.Check(err)
	b[0] ^= 1
	_, err = f.WriteAt(b, at)
	ts.Check(err)
	ts.Check(f.Close())
}

// cmdReformat gives a bundle another format version, as a later eryx-build
// would write it: reformat FROM TO VERSION.
func cmdReformat(ts *testscript.TestScript, _ bool, args []string) {
	version, err := strconv.Atoi(args[2])
	ts.Check(err)
	archive, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer archive.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, member := range archive.File {
		r, err := member.Open()
		ts.Check(err)
		data, err := io.ReadAll(r)
		ts.Check(err)
		ts.Check(r.Close())
		if member.Name == "manifest.json" {
			var manifest map[string]any
			ts.Check(json.Unmarshal(data, &manifest))
			if _, ok := manifest["format"]; !ok {
				ts.Fatalf("the manifest has no format: %s", data)
			}
			manifest["format"] = version
			data, err = json.Marshal(manifest)
			ts.Check(err)
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: member.Name, Method: zip.Store})
		ts.Check(err)
		_, err = f.Write(data)
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o666))
}

// cmdMakeZip makes an archive of files: mkzip ARCHIVE FILE...
func cmdMakeZip(ts *testscript.TestScript, _ bool, args []string) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range args[1:] {
		f, err := w.Create(name)
		ts.Check(err)
		_, err = f.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o666))
}

// cmdSame compares two files of any size byte by byte: same A B.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	a, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	if equal := bytes.Equal(a, b); equal == neg {
		ts.Fatalf("%s (%d bytes) and %s (%d bytes) are the same: %v", args[0], len(a), args[1], len(b), equal)
	}
}
