package eryx_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// databases are where sandboxes may share one: files in memory and a directory of
// the host's. Its path is db.
func databases(t *testing.T) map[string]func() *eryx.SandboxConfig {
	t.Helper()
	files, dir := eryx.NewFiles(0), t.TempDir()
	return map[string]func() *eryx.SandboxConfig{
		"memory": func() *eryx.SandboxConfig { return &eryx.SandboxConfig{Files: files} },
		"host": func() *eryx.SandboxConfig {
			return &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/home/user", Dir: dir, Writable: true}}}
		},
	}
}

// left are the names beside the database.
func left(t *testing.T, config *eryx.SandboxConfig) string {
	t.Helper()
	var root fs.FS
	if config.Files != nil {
		sub, err := fs.Sub(config.Files, "home/user")
		if err != nil {
			t.Fatal(err)
		}
		root = sub
	} else {
		root = os.DirFS(config.Mounts[0].Dir)
	}
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestSQLiteAfterKill ends executions in the middle of a transaction of which a
// part is in the database already: the next one finds the old state.
func TestSQLiteAfterKill(t *testing.T) {
	for name, configure := range databases(t) {
		t.Run(name, func(t *testing.T) {
			mustExecute(t, `
import sqlite3
c = sqlite3.connect('db')
c.execute('create table t (n, x)')
c.executemany('insert into t values (?, ?)', [(n, 'old' * 500) for n in range(200)])
c.commit(); c.close()`, configure())
			for _, mode := range []string{"delete", "truncate", "persist"} {
				killed := configure()
				ctx, cancel := context.WithCancelCause(t.Context())
				killed.Stdout = writerFunc(func(p []byte) (int, error) {
					cancel(errDeadline)
					return len(p), nil
				})
				result, err := openShared(t).Execute(ctx, `
import sqlite3
c = sqlite3.connect('db', isolation_level=None)
c.execute('pragma journal_mode=`+mode+`'); c.execute('pragma cache_size=2')
c.execute('begin'); c.execute("update t set x = replace(x, 'old', 'new')")
print('in it', flush=True)
while True: pass`, killed)
				if !errors.Is(err, errDeadline) || string(result.Stdout) != "in it\n" {
					t.Fatalf("%s: gave %s", mode, explain(err))
				}
				if names := left(t, killed); names != "db db-journal" {
					t.Errorf("%s: left behind: %s", mode, names)
				}
				after := mustExecute(t, `
import os, sqlite3
spilled = b'newnew' in open('db', 'rb').read()
c = sqlite3.connect('db', timeout=0)
rows = c.execute("select count(*), sum(x = replace(hex(zeroblob(500)), '00', 'old')) from t").fetchone()
check = c.execute('pragma integrity_check').fetchone()[0]
c.execute('insert into t values (1000, ?)', ('old' * 500,)); c.commit()
c.execute('delete from t where n = 1000'); c.commit(); c.execute('pragma journal_mode=delete'); c.close()
result = spilled, rows, check, os.listdir('.')`, configure())
				if want := `[true, [200, 200], "ok", ["db"]]`; string(after.Value) != want {
					t.Errorf("%s: the next execution finds %s, want %s", mode, after.Value, want)
				}
			}
		})
	}
}

// TestSQLiteBesideAWriter shows several sandboxes that have a database open.
func TestSQLiteBesideAWriter(t *testing.T) {
	for name, configure := range databases(t) {
		t.Run(name, func(t *testing.T) {
			writer, reader := newSession(t, configure()), newSession(t, configure())
			do := func(s *eryx.Session, source, want string) {
				t.Helper()
				result, err := s.Execute(t.Context(), source)
				if err != nil || string(result.Value) != want {
					t.Errorf("%s\ngave %s, %s; want %s", source, result.Value, explain(err), want)
				}
			}
			const open = "import sqlite3\nc = sqlite3.connect('db', timeout=0, isolation_level=None)\n" +
				"def do(*sql):\n    try: return [c.execute(s).fetchall() for s in sql][-1]\n    except sqlite3.OperationalError as e: return str(e)\n"
			do(writer, open+"result = do('create table t (x)', 'begin immediate', 'insert into t values (1)')", "[]")
			do(reader, open+"result = do('select * from t')", "[]")
			do(reader, "result = do('insert into t values (2)')", `"database is locked"`)
			do(reader, "result = do('begin', 'select * from t')", "[]")
			do(writer, "result = do('commit')", `"database is locked"`) // until the reader has finished
			do(reader, "result = do('commit')", "[]")
			do(writer, "result = do('commit')", "[]")
			do(reader, "result = do('select * from t')", "[[1]]")
			// A connection of the writer's own reads, too, and its closing leaves the
			// locks of the other one as they are.
			do(writer, "d = sqlite3.connect('db', timeout=0)\nresult = do('begin exclusive')\ntry: d.execute('select * from t').fetchall()\nexcept sqlite3.OperationalError as e: result.append(str(e))\nd.close()", `["database is locked"]`)
			do(reader, "result = do('select * from t')", `"database is locked"`)
			// A session that is closed has no locks.
			if err := writer.Close(); err != nil {
				t.Fatal(err)
			}
			do(reader, "result = do('insert into t values (2)', 'select * from t')", "[[1], [2]]")
			// Nor has one whose execution was ended, closed or not.
			killed := newSession(t, configure())
			do(killed, open+"result = do('begin exclusive')", "[]")
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := killed.Execute(ctx, "while True: pass"); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(explain(err))
			}
			do(reader, "result = do('insert into t values (3)', 'select * from t')", "[[1], [2], [3]]")
		})
	}
}
