package eryx_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
	container "github.com/eryx-build/eryx/internal/snapshot"
)

// secretValue has something of everything that is escaped somewhere.
const secretValue = `k3y&"quoted"/slash+%-0123456789`

// withSecret is a configuration with one secret, API_KEY.
func withSecret(hosts ...string) *eryx.SandboxConfig {
	if len(hosts) == 0 {
		hosts = []string{"api.example.com"}
	}
	return &eryx.SandboxConfig{Secrets: []eryx.Secret{{Name: "API_KEY", Value: secretValue, Hosts: hosts}}}
}

// isStars reports whether text is as many asterisks.
func isStars(text string, n int) bool { return text == strings.Repeat("*", n) }

// placeholderSize is the length of the placeholder of API_KEY.
const placeholderSize = len("eryx-secret-API_KEY-") + 26

func TestSecretConfiguration(t *testing.T) {
	for _, test := range []struct {
		secret eryx.Secret
		want   string
	}{
		{eryx.Secret{Name: "A", Value: "", Hosts: []string{"h"}}, "the secret A has no value"},
		{eryx.Secret{Name: "A", Value: "short", Hosts: []string{"h"}}, "only 5 bytes"},
		{eryx.Secret{Name: "A", Value: "with\r\nX-Evil: 1", Hosts: []string{"h"}}, "control character"},
		{eryx.Secret{Name: "A", Value: "with\x00NUL...", Hosts: []string{"h"}}, "control character"},
		{eryx.Secret{Name: "A=B", Value: secretValue, Hosts: []string{"h"}}, "cannot be the name"},
		{eryx.Secret{Name: "", Value: secretValue, Hosts: []string{"h"}}, "the name of a secret"},
		{eryx.Secret{Name: "A", Value: secretValue}, "there are no hosts"},
		{eryx.Secret{Name: "A", Value: secretValue, Hosts: []string{"*"}}, "every host"},
		{eryx.Secret{Name: "A", Value: secretValue, Hosts: []string{"h:443"}}, "has a port"},
		{eryx.Secret{Name: "TWICE", Value: secretValue, Hosts: []string{"h"}}, "both a secret and in Env"},
	} {
		config := &eryx.SandboxConfig{Secrets: []eryx.Secret{test.secret}, Env: map[string]string{"TWICE": "x"}}
		_, err := openShared(t).NewSandbox(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.secret, err, test.want)
		}
		if err != nil && test.secret.Value != "" && strings.Contains(err.Error(), test.secret.Value) {
			t.Errorf("the error tells the value: %v", err)
		}
	}
	config := withSecret()
	config.Secrets = append(config.Secrets, config.Secrets[0])
	if _, err := openShared(t).NewSandbox(t.Context(), config); err == nil || !strings.Contains(err.Error(), "two secrets of the name API_KEY") {
		t.Errorf("two of one name: %v", err)
	}
}

// TestSecretIsNotPrinted has a configuration printed, by mistake, in every way.
func TestSecretIsNotPrinted(t *testing.T) {
	config := withSecret()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "config", config, "secret", config.Secrets[0])
	marshalled, err := json.Marshal(config.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(config.Secrets), fmt.Sprintf("%v", config.Secrets[0]), fmt.Sprintf("%+v", config.Secrets), fmt.Sprintf("%#v", config.Secrets),
		config.Secrets[0].String(), fmt.Sprintf("%q", config.Secrets), log.String(), string(marshalled),
	} {
		if strings.Contains(text, "k3y") || !strings.Contains(text, "API_KEY") && !strings.Contains(text, "level") {
			t.Errorf("%s", text)
		}
	}
}

// TestSecretEnvironment gives the script a placeholder.
func TestSecretEnvironment(t *testing.T) {
	const look = `
import os
key = os.environ["API_KEY"]
result = [len(key), key.startswith("eryx-secret-API_KEY-"), key.replace("-", "").replace("_", "").isalnum(), hash(key) == hash(os.environ["API_KEY"])]
`
	result := mustExecute(t, look, withSecret())
	if got, want := string(result.Value), fmt.Sprintf("[%d, true, true, true]", placeholderSize); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Each sandbox has its own; a deterministic one always the same.
	digest := func(config *eryx.SandboxConfig) string {
		return string(mustExecute(t, "import os, zlib; print(zlib.crc32(os.environ['API_KEY'].encode()))", config).Stdout)
	}
	if a, b := digest(withSecret()), digest(withSecret()); a == b {
		t.Error("two sandboxes have the same placeholder")
	}
	seeded := func(seed uint64) *eryx.SandboxConfig {
		config := withSecret()
		config.Deterministic = &eryx.Deterministic{Seed: seed}
		return config
	}
	if a, b, c := digest(seeded(1)), digest(seeded(1)), digest(seeded(2)); a != b || a == c {
		t.Errorf("deterministic placeholders: %s, %s, %s", a, b, c)
	}
}

// leak is a script that knows the value, whoever told it, as source. It is for
// tests of what leaves the sandbox.
func leak(source string) string {
	return "import os, sys\nvalue, key = " + string(must(json.Marshal(secretValue))) + ", os.environ['API_KEY']\n" + source
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestSecretInOutput prints what it should not, in every way.
func TestSecretInOutput(t *testing.T) {
	for name, source := range map[string]string{
		"print":            `print(value, key)`,
		"stderr":           `print(value, key, file=sys.stderr)`,
		"bytes":            `sys.stdout.buffer.write(value.encode() + key.encode())`,
		"descriptor":       `os.write(1, value.encode()); os.write(2, key.encode())`,
		"in pieces":        `[os.write(1, bytes([c])) for c in (value + key).encode()]`,
		"across a buffer":  `sys.stdout.write("x" * 8190 + value); sys.stdout.flush(); sys.stdout.write("y" * 8170 + key)`,
		"without a end":    `sys.stdout.write(value + key)`,
		"JSON":             `import json; print(json.dumps([value, key]))`,
		"repr":             `print(repr([value, key]))`,
		"base64":           `import base64; print(base64.b64encode(b"ab" + value.encode()), base64.urlsafe_b64encode(value.encode()))`,
		"base64 in lines":  `import base64; print(base64.encodebytes(b"ab" + value.encode() * 3).decode())`,
		"percent-encoded":  `import urllib.parse as u; print(u.quote(value), u.quote_plus(value), u.urlencode({"k": key}))`,
		"hexadecimal":      `print(value.encode().hex())`,
		"then an error":    `sys.stdout.write(value); sys.stdout.flush(); 1 / 0`,
		"then a limit":     `sys.stdout.write(value); sys.stdout.flush(); os._exit(3)`,
		"as an expression": `sys.displayhook(value)`,
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			config := withSecret()
			config.Stdout, config.Stderr = &out, &errs
			result, _ := execute(t, leak(source), config)
			for _, text := range []string{out.String(), errs.String(), string(result.Stdout), string(result.Stderr)} {
				assertHidden(t, text)
			}
			if len(out.String()+errs.String()) != len(string(result.Stdout)+string(result.Stderr)) || !strings.Contains(string(result.Stdout)+string(result.Stderr), "********") {
				t.Errorf("kept %q, %q; streamed %q, %q", result.Stdout, result.Stderr, out.String(), errs.String())
			}
		})
	}
	// What is kept is masked also where it ends in the middle.
	config := withSecret()
	config.OutputLimit = 20
	result := mustExecute(t, leak(`print("0123456789" + value)`), config)
	if got := string(result.Stdout); got != "0123456789**********" || !result.StdoutTruncated {
		t.Errorf("%q", got)
	}
	// Nothing else is touched.
	if got := string(mustExecute(t, `print("eryx-secret-", end=""); print("plain text")`, withSecret()).Stdout); got != "eryx-secret-plain text\n" {
		t.Errorf("%q", got)
	}
}

// assertHidden fails if there is a value or a placeholder in text, or most of
// one.
func assertHidden(t *testing.T, text string) {
	t.Helper()
	encoded := base64.StdEncoding.EncodeToString([]byte(secretValue))
	for _, part := range []string{secretValue[3:], "slash", "0123456789\"", "eryx-secret-API_KEY", encoded[4 : len(encoded)-4], "6b3379"} {
		if strings.Contains(text, part) {
			t.Errorf("%q is in %q", part, text)
		}
	}
}

// TestSecretInExceptionText raises with the value.
func TestSecretInExceptionText(t *testing.T) {
	raised := mustRaise(t, leak(`
def f(): raise type("E" + "x", (Exception,), {})(value, key)
f()`), withSecret())
	assertHidden(t, raised.Message)
	assertHidden(t, raised.Error())
	assertHidden(t, raised.Traceback)
	if !strings.Contains(raised.Message, "****") || !strings.Contains(raised.Traceback, "****") {
		t.Errorf("%+v", raised)
	}
	// Names are texts, too.
	raised = mustRaise(t, leak(`
exec(compile("def f(): raise type(value, (Exception,), {})()", value, "exec"))
f.__code__ = f.__code__.replace(co_name=key, co_qualname=key)
f()`), withSecret())
	assertHidden(t, fmt.Sprintf("%+v", *raised))
	result := mustExecute(t, leak(`result = type(key, (), {"__repr__": lambda self: value})()`), withSecret())
	if result.ValueError == nil {
		t.Fatal("the value can be expressed")
	}
	assertHidden(t, result.ValueError.Error())
}

// TestSecretInResult has the value in what is given back, which stays JSON.
func TestSecretInResult(t *testing.T) {
	result := mustExecute(t, leak(`result = {value: [key, value + "\n", f"a{value}b", "\\" + value]}`), withSecret())
	assertHidden(t, string(result.Value))
	var content map[string][]string
	if err := json.Unmarshal(result.Value, &content); err != nil {
		t.Fatalf("%v in %s", err, result.Value)
	}
	for name, list := range content {
		if strings.Trim(name, "*") != "" || strings.Trim(list[0], "*") != "" || len(list) != 4 {
			t.Errorf("%s", result.Value)
		}
	}
}

// TestSecretInTrace has the value in names and messages.
func TestSecretInTrace(t *testing.T) {
	var log eryx.TraceLog
	config := withSecret()
	config.Trace.Handler = log.Handle
	_, err := execute(t, leak(`
def f(): raise ValueError(value, key)
f.__code__ = f.__code__.replace(co_name=key, co_qualname=value)
try: f()
except ValueError as e: pass
raise KeyError(value)`), config)
	if err == nil {
		t.Fatal("no exception")
	}
	seen := false
	for _, e := range log.Events() {
		assertHidden(t, e.String())
		seen = seen || strings.Contains(e.Message, "****")
	}
	if !seen {
		t.Error("no event has the message")
	}
}

// TestSecretInFiles takes files out of the sandbox.
func TestSecretInFiles(t *testing.T) {
	result := mustExecute(t, leak(`
with open("notes.txt", "w") as f: f.write("a " + value + " b " + key + " c")
os.symlink(value, "link")
print(open("notes.txt").read() == "a " + value + " b " + key + " c")
`), withSecret())
	if string(result.Stdout) != "True\n" {
		t.Errorf("the script's own file: %s", result.Stdout)
	}
	const name = "home/user/notes.txt"
	data, err := result.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := "a " + strings.Repeat("*", len(secretValue)) + " b " + strings.Repeat("*", placeholderSize) + " c"
	if string(data) != want {
		t.Errorf("%q, want %q", data, want)
	}
	file, err := result.Files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() != int64(len(want)) {
		t.Errorf("%v, %v", info, err)
	}
	part := make([]byte, 4)
	if _, err := file.(io.ReaderAt).ReadAt(part, 3); err != nil || string(part) != "****" {
		t.Errorf("a part is %q, %v", part, err)
	}
	if again, err := fs.ReadFile(onlyOpen{result.Files}, name); err != nil || string(again) != want {
		t.Errorf("%q, %v", again, err)
	}
	if target, err := result.Files.ReadLink("home/user/link"); err != nil || !isStars(target, len(secretValue)) {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if list, err := result.Files.ReadDir("home/user"); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

// onlyOpen hides the other methods of a file system.
type onlyOpen struct{ fsys fs.FS }

func (o onlyOpen) Open(name string) (fs.File, error) { return o.fsys.Open(name) }

// TestSecretInMounts writes to the host's directories, whole and in pieces.
func TestSecretInMounts(t *testing.T) {
	dir := t.TempDir()
	config := withSecret()
	config.Mounts = []eryx.Mount{{Path: "/out", Dir: dir, Writable: true}}
	mustExecute(t, leak(`
open("/out/whole", "w").write("a " + value + " b " + key)
with open("/out/buffered", "w") as f:
    f.write("x" * 8190 + value + "y" * 8150 + key + "z" * 9000)
with open("/out/pieces", "wb", buffering=0) as f:
    for c in (value + "-" + key).encode(): f.write(bytes([c]))
with open("/out/appended", "ab", buffering=0) as f:
    for c in (value + "-" + key).encode(): f.write(bytes([c]))
with open("/out/inserted", "wb+", buffering=0) as f:
    f.write(value[:10].encode() + b"?" + value[11:].encode())
    f.seek(10); f.write(value[10].encode())
fd = os.open("/out/backwards", os.O_RDWR | os.O_CREAT)
for i in reversed(range(len(value))): os.pwrite(fd, value[i].encode(), i)
`), config)
	size := len(secretValue)
	for name, length := range map[string]int{
		"whole": 2 + size + 3 + placeholderSize, "buffered": 8190 + size + 8150 + placeholderSize + 9000,
		"pieces": size + 1 + placeholderSize, "appended": size + 1 + placeholderSize, "inserted": size, "backwards": size,
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		assertHidden(t, string(data))
		if len(data) != length || !bytes.Contains(data, []byte("********")) {
			t.Errorf("%s: %d bytes, want %d: %.100q", name, len(data), length, data)
		}
	}
}

// TestSecretInCallbacks has functions of the host's called with the value, and
// tell it.
func TestSecretInCallbacks(t *testing.T) {
	var told []string
	config := withSecret()
	config.Callbacks = []eryx.Callback{
		{Name: "tell", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			told = append(told, string(args))
			return args, nil
		}},
		{Name: "ask", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return json.Marshal("it is " + secretValue)
		}},
		{Name: "fail", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return nil, fmt.Errorf("GET https://api.example.com/?key=%s: %w", secretValue, os.ErrDeadlineExceeded)
		}},
		{Name: "refuse", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return nil, &eryx.ArgumentError{Message: "not with " + secretValue}
		}},
	}
	result := mustExecute(t, leak(`
back = await tell(value=value, key=key)
assert back["key"] == key
seen = [await ask()]
for f in fail, refuse:
    try: await f()
    except Exception as e: seen.append(str(e))
print(any(value in s for s in seen), any("****" in s for s in seen), len(seen))
`), config)
	if got := string(result.Stdout); got != "False True 3\n" {
		t.Errorf("the script has heard the value: %s", got)
	}
	if len(told) != 1 || strings.Contains(told[0], "slash") || !strings.Contains(told[0], "eryx-secret-API_KEY-") {
		t.Errorf("the host was told %q", told)
	}
	// The host's own error is still what it was.
	_, err := execute(t, "await fail()", config)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	assertHidden(t, err.Error())
}

// TestSecretInJournal records calls, and replays them where the placeholder is
// another.
func TestSecretInJournal(t *testing.T) {
	calls := 0
	config := func(journal *eryx.Journal) *eryx.SandboxConfig {
		c := withSecret()
		c.Journal = journal
		c.Callbacks = []eryx.Callback{{Name: "echo", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			calls++
			return args, nil
		}}}
		return c
	}
	source := leak(`
a = await echo(key=key, value=value, args=sys.argv)
b = await echo(again=a["key"], number=1)
print(len(a["key"]), len(b["again"]))`)
	var written bytes.Buffer
	result := mustExecute(t, source, config(&eryx.Journal{Writer: &written}))
	assertHidden(t, string(result.Journal))
	assertHidden(t, written.String())
	again := mustExecute(t, source, config(&eryx.Journal{Replay: result.Journal}))
	if calls != 2 || string(again.Stdout) != string(result.Stdout) || string(again.Journal) != string(result.Journal) {
		t.Errorf("%d calls, %q and %q", calls, again.Stdout, result.Stdout)
	}
	// Where the script does something else, what it does is told without it.
	other := config(&eryx.Journal{Replay: result.Journal})
	other.Args = []string{"other"}
	_, err := execute(t, source, other)
	var differs *eryx.JournalError
	if !errors.As(err, &differs) || !strings.Contains(differs.Reason, "other") {
		t.Fatalf("%v", err)
	}
	assertHidden(t, err.Error())
}

// TestSecretInSnapshot looks for the value in all that a session is saved as,
// and goes on elsewhere.
func TestSecretInSnapshot(t *testing.T) {
	config := withSecret()
	s := newSession(t, config)
	run := func(s *eryx.Session, source string) string {
		t.Helper()
		result, err := s.Execute(t.Context(), source)
		if err != nil {
			t.Fatal(explain(err))
		}
		return string(result.Stdout)
	}
	run(s, "import os\nheaders = {'Authorization': 'Bearer ' + os.environ['API_KEY']}\nopen('key', 'w').write(os.environ['API_KEY'])")
	data := snapshotOf(t, s)
	content, err := container.Decode(data, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range content.Sections {
		section := &content.Sections[i]
		piece, err := section.Content()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(piece, []byte(secretValue)) || bytes.Contains(piece, []byte(secretValue[:16])) {
			t.Errorf("the value is in the section %s", section.Name)
		}
		found += bytes.Count(piece, []byte("eryx-secret-API_KEY-"))
		section.Pieces = [][]byte{piece}
	}
	if found < 3 {
		t.Errorf("the placeholder is in the snapshot %d times: was it looked through?", found)
	}
	const same = "print(headers['Authorization'] == 'Bearer ' + os.environ['API_KEY'] == 'Bearer ' + open('key').read(), 'API_KEY' in os.environ)"
	if got := run(s, same); got != "True True\n" {
		t.Errorf("in the session: %s", got)
	}
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	if got := run(fork, same); got != "True True\n" {
		t.Errorf("in the fork: %s", got)
	}
	// Elsewhere the secret has to be given again, and may be another by now.
	other := withSecret("other.example.com")
	other.Secrets[0].Value = "rotated-" + secretValue
	other.Secrets = append(other.Secrets, eryx.Secret{Name: "MORE", Value: secretValue + "more", Hosts: []string{"h"}})
	restored, err := openShared(t).Restore(t.Context(), data, other)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if got := run(restored, same); got != "True True\n" {
		t.Errorf("restored: %s", got)
	}
	if got := run(restored, "print(os.environ['MORE'].startswith('eryx-secret-MORE-'), headers['Authorization'])"); !strings.HasPrefix(got, "False") && !strings.HasPrefix(got, "True Bearer ****") {
		t.Errorf("restored: %s", got)
	}
	// Without it there is nothing, and a snapshot of that still knows the placeholder.
	without, err := openShared(t).Restore(t.Context(), data, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close()
	run(without, "os.environ.pop('API_KEY', None)")
	last, err := openShared(t).Restore(t.Context(), snapshotOf(t, without), config)
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	if got := run(last, same); got != "True True\n" {
		t.Errorf("restored again: %s", got)
	}
	// A snapshot cannot bring a placeholder of its own choice.
	for i, section := range content.Sections {
		if string(section.Name[:]) != "stat" {
			continue
		}
		text := section.Pieces[0]
		at := bytes.Index(text, []byte("eryx-secret-API_KEY-"))
		forged := append(append(bytes.Clone(text[:at]), "Host"...), text[at+placeholderSize:]...)
		content.Sections[i].Pieces = [][]byte{forged}
	}
	forged, err := container.Encode(content)
	if err != nil {
		t.Fatal(err)
	}
	var bad *eryx.SnapshotError
	if _, err := openShared(t).Restore(t.Context(), forged, config); !errors.As(err, &bad) || bad.Problem != eryx.SnapshotDamaged {
		t.Errorf("a placeholder of the snapshot's own: %v", err)
	}
	// Variables alone have no value either.
	run(s, leak("copy = value"))
	saved, _, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	variables, err := container.Decode(saved, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for i := range variables.Sections {
		piece, err := variables.Sections[i].Content()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(piece, []byte(secretValue)) || !bytes.Contains(piece, []byte("copy")) {
			t.Errorf("the variables are %q", piece)
		}
	}
}

// TestSecretAndReset gives a session that was reset its secret again, and keeps
// it through checkpoints.
func TestSecretAndReset(t *testing.T) {
	config := withSecret()
	config.Checkpoint = true
	s := newSession(t, config)
	const look = "import os\nassert os.environ['API_KEY'].startswith('eryx-secret-API_KEY-')\ntry: assert key == os.environ['API_KEY']\nexcept NameError: key = os.environ['API_KEY']"
	for range 2 {
		if _, err := s.Execute(t.Context(), look); err != nil {
			t.Fatal(explain(err))
		}
		if _, err := s.Execute(t.Context(), "1 / 0"); err == nil {
			t.Fatal("no error")
		}
		if _, err := s.Execute(t.Context(), look); err != nil {
			t.Fatal(explain(err))
		}
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// The secrets stay what they were when the interpreter was made.
	if err := s.Configure(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Execute(t.Context(), look); err != nil {
		t.Error(explain(err))
	}
}

// TestSecretInPool has a lease use a secret: the next user of its memory finds
// neither placeholder nor value.
func TestSecretInPool(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	l := acquire(t, p, withSecret())
	result, err := l.Execute(t.Context(), "import os\nkey = os.environ['API_KEY'] * 100\nprint(key[:10])")
	if err != nil || !isStars(strings.TrimSpace(string(result.Stdout)), 10) && !strings.HasPrefix(string(result.Stdout), "eryx-secre") {
		t.Fatal(explain(err), result)
	}
	memory := eryx.MemoryOf(l)
	if !bytes.Contains(memory, []byte("eryx-secret-API_KEY-")) || bytes.Contains(memory, []byte(secretValue)) {
		t.Error("the memory of the user is not as expected")
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	next := acquire(t, p, nil)
	if got := leased(t, next, "import os; print('API_KEY' in os.environ)"); got != "False\n" {
		t.Errorf("the next user has it: %s", got)
	}
	memory = eryx.MemoryOf(next)
	for _, trace := range []string{"eryx-secret-API_KEY-", secretValue, "API_KEY' in"} {
		if found := bytes.Contains(memory, []byte(trace)); found != (trace == "API_KEY' in") {
			t.Errorf("%q in the next user's memory: %v", trace, found)
		}
	}
	if p.Stats().Creations != 1 {
		t.Errorf("%+v", p.Stats())
	}
}
