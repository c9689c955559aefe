package secret

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// forms are ways to write text, that are masked.
var forms = []struct {
	name  string
	write func(text string) string
	// fragment is what masks leave of bytes beside the text.
	aligned bool
}{
	{"raw", func(s string) string { return s }, true},
	{"JSON", func(s string) string { return encodeJSON(s, true) }, true},
	{"JSON without HTML", func(s string) string { return encodeJSON(s, false) }, true},
	{"ASCII JSON", asciiJSON, true},
	{"JSON with escaped slashes", func(s string) string { return strings.ReplaceAll(encodeJSON(s, true), "/", `\/`) }, true},
	{"query", url.QueryEscape, true},
	{"path", url.PathEscape, true},
	{"percent everything", func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02x", s[i])
		}
		return b.String()
	}, true},
	{"HTML", html.EscapeString, true},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }, true},
	{"HEX", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }, true},
	{"Go", func(s string) string { return strings.Trim(fmt.Sprintf("%q", s), `"`) }, true},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, false},
	{"base64url", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, false},
	{"base64 in a URL", func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) }, false},
	{"base64 in lines", func(s string) string {
		return strings.Join(split(base64.StdEncoding.EncodeToString([]byte(s)), 10), "\r\n")
	}, false},
}

func encodeJSON(s string, html bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	_ = e.Encode(s)
	return strings.Trim(b.String(), "\"\n")
}

func asciiJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && r != '"' && r != '\\' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// TestForms masks every form of a value, at every alignment, however it is cut.
func TestForms(t *testing.T) {
	set, _, _ := fixture(t)
	for _, form := range forms {
		for _, before := range []string{"", "a", "ab", "abc", "s3c", "Quite something before it: "} {
			for _, after := range []string{"", "x", "xy", "xyz", value[:5], " and after it"} {
				whole := form.write(before + value + after)
				masked := string(set.Values([]byte(whole)))
				if len(masked) != len(whole) {
					t.Fatalf("%s: %q became %q", form.name, whole, masked)
				}
				// Most of it is hidden, and nothing of what is beside it but a digit.
				hidden, least := strings.Count(masked, "*"), len(form.write(value))
				if form.aligned && (hidden != least || masked != form.write(before)+strings.Repeat("*", least)+form.write(after)) {
					t.Errorf("%s: %q became %q", form.name, whole, masked)
				}
				if !form.aligned && (hidden < len(value)*4/3 || hidden > len(value)*4/3+3+10) {
					t.Errorf("%s: %q became %q", form.name, whole, masked)
				}
				for _, size := range []int{1, 2, 5} {
					s := &Stream{scanner: newScanner(set.values, set.fill)}
					var out []byte
					for _, piece := range split(whole, size) {
						s.Write([]byte(piece))
						out = append(out, s.Ready()...)
					}
					if out = append(out, s.Rest()...); string(out) != masked {
						t.Errorf("%s in pieces of %d: %q, want %q", form.name, size, out, masked)
					}
				}
			}
		}
	}
}

// TestText masks values and placeholders in texts, and leaves others alone.
func TestText(t *testing.T) {
	set, key, _ := fixture(t)
	for _, text := range []string{"", "short", "nothing of interest here", "eryx-secret-", value[:len(value)-1], value[1:]} {
		if got := set.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	stars := strings.Repeat("*", len(value))
	if got, want := set.Text("a "+value+" b "+key+" c"), "a "+stars+" b "+strings.Repeat("*", len(key))+" c"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := string(set.Values([]byte(value+key))), stars+key; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := set.Text(value+value), stars+stars; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	data := []byte("x " + value)
	if set.Bytes(data); string(data) != "x "+value {
		t.Error("the caller's bytes were changed")
	}
	var none *Set
	if none.Text(value) != value || string(none.Bytes([]byte(value))) != value || none.Connection(Peer{}) != nil || none.Stream() != nil || !none.Empty() {
		t.Error("a nil set does something")
	}
}

// TestJSON masks what is JSON so that it stays JSON.
func TestJSON(t *testing.T) {
	name := func(s string) string { return Placeholder(s, [EntropySize]byte{}) }
	set, err := New([]Secret{
		{Name: "A", Value: "12345678", Placeholder: name("A"), Binds: bound("h")},
		{Name: "B", Value: "nothing-to-see", Placeholder: name("B"), Binds: bound("h")},
		{Name: "C", Value: `","evil":"`, Placeholder: name("C"), Binds: bound("h")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"a": "is 12345678"}`:       `{"a": "is ********"}`,
		`{"a": [12345678, 1]}`:       `{"a":["********",1]}`,
		`"\nothing-to-see"`:          `"\u000aothing-to-see"`, // a line break, and not the value
		`{"nothing-to-see":1}`:       `{"**************":1}`,
		`"` + name("A") + `"`:        `"` + strings.Repeat("*", len(name("A"))) + `"`,
		`{"a": "1234567", "b": 8.5}`: `{"a": "1234567", "b": 8.5}`,
	} {
		got := string(set.JSON([]byte(in)))
		if got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	if got := string(set.JSON([]byte(`{"a":"b","evil":"c"}`))); !json.Valid([]byte(got)) {
		t.Errorf("%s", got)
	}
}

// TestFill masks by something that makes no value with what is beside it.
func TestFill(t *testing.T) {
	stars := "*#secret*"
	set, err := New([]Secret{{Name: "A", Value: stars, Placeholder: Placeholder("A", [EntropySize]byte{}), Binds: bound("h")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Text("*#secret" + stars); strings.Contains(got, stars) || strings.Contains(got, "*#secret*") {
		t.Errorf("%q", got)
	}
}

// TestStreamShort releases a few bytes that may begin a value, and says so when
// they did.
func TestStreamShort(t *testing.T) {
	set, _, _ := fixture(t)
	s := set.Stream()
	var out []byte
	late := 0
	for i := range len(value) {
		late = max(late, s.Write([]byte{value[i]}))
		out = append(out, s.Short()...)
	}
	out = append(out, s.Rest()...)
	if want := value[:shortBeginning] + strings.Repeat("*", len(value)-shortBeginning); string(out) != want || late != shortBeginning {
		t.Errorf("%q and %d late, want %q", out, late, want)
	}
}

// readAll is what net/http makes of a response's body.
func readAll(t testing.TB, text, method string) (http.Header, string) {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("net/http does not understand %q: %v", text, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("net/http does not understand the body in %q: %v", text, err)
	}
	return r.Header, string(body)
}

// TestReflection has a server that says the value back, in every form and cut
// everywhere: by the network and by its chunks.
func TestReflection(t *testing.T) {
	set, _, _ := fixture(t)
	for _, form := range forms {
		said := form.write("before " + value + " after")
		want := string(set.Values([]byte(said)))
		var chunks []byte
		for _, piece := range split(said, 3) {
			chunks = appendChunk(chunks, []byte(piece))
		}
		for name, text := range map[string]string{
			"header echo": "HTTP/1.1 200 OK\r\nX-Echo: " + strings.ReplaceAll(said, "\r\n", "") + "\r\nContent-Length: 2\r\n\r\nok",
			"body echo":   "HTTP/1.1 200 OK\r\nContent-Length: " + decimal(len(said)) + "\r\n\r\n" + said,
			"chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + string(chunks) + "0\r\nX-Trailer: 1\r\n\r\n",
			"until close": "HTTP/1.1 200 OK\r\n\r\n" + said,
			"HTTP/1.0":    "HTTP/1.0 200 OK\r\n\r\n" + said,
			"bare LF":     "HTTP/1.1 200 OK\nTransfer-Encoding:\n chunked\n\n" + strings.ReplaceAll(string(chunks), "\r\n", "\n") + "0\n\r\n",
		} {
			if name == "bare LF" && strings.Contains(said, "\r\n") {
				continue
			}
			for _, size := range []int{1, 2, 3, 10, len(text)} {
				f := set.Connection(verified("api.example.com"))
				send(t, f, "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
				got := receive(f, split(text, size)...)
				header, body := readAll(t, got, "GET")
				if name == "header echo" {
					body = header.Get("X-Echo")
					if want := string(set.Values([]byte(strings.ReplaceAll(said, "\r\n", "")))); body != want {
						t.Errorf("%s, %s in pieces of %d: %q, want %q", form.name, name, size, body, want)
					}
				} else if body != want {
					t.Errorf("%s, %s in pieces of %d: %q, want %q", form.name, name, size, body, want)
				}
			}
		}
	}
}

// TestResponses passes what has no value in it, and holds nothing back at the
// end of a message.
func TestResponses(t *testing.T) {
	set, _, _ := fixture(t)
	for _, test := range []struct{ name, requests, text string }{
		{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ns3cr"},
		{"no body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ns3cr"},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 400\r\n\r\n"},
		{"204", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ns3cr"},
		{"interim", "HEAD", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ns3cr\r\n0\r\n\r\n"},
	} {
		f := set.Connection(verified("api.example.com"))
		send(t, f, test.requests+" / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
		if got := string(f.Incoming([]byte(test.text), false)); got != test.text {
			t.Errorf("%s: %q, want %q", test.name, got, test.text)
		}
		if held := f.Held(); held != 0 {
			t.Errorf("%s: something is held after the end", test.name)
		}
	}
}

// TestPause releases the beginning of a value when nothing comes, and no more
// than that of something that has been a value for long.
func TestPause(t *testing.T) {
	set, _, _ := fixture(t)
	f := set.Connection(verified("api.example.com"))
	if got := string(f.Incoming([]byte("220 hello s3"), false)); got != "220 hello " {
		t.Errorf("%q", got)
	}
	if f.Held() == 0 {
		t.Error("nothing is held")
	}
	if got := string(f.Release()); got != "s3" || f.Held() != 0 {
		t.Errorf("released %q, still held: %v", got, f.Held())
	}
	if got := string(f.Incoming([]byte(value[2:]+"."), false)); got != strings.Repeat("*", len(value)-2)+"." {
		t.Errorf("%q", got)
	}
	// One byte after the other, with a pause after each.
	var got []byte
	for i := range len(value) {
		got = append(got, f.Incoming([]byte{value[i]}, false)...)
		got = append(got, f.Release()...)
	}
	if want := value[:shortBeginning] + strings.Repeat("*", len(value)-shortBeginning); string(got) != want {
		t.Errorf("drop by drop: %q, want %q", got, want)
	}
	got = append(f.Incoming([]byte("s3cr&x"), false), f.Release()...)
	if string(got) != "s3cr&x" {
		t.Errorf("%q", got)
	}
}

// TestReflectionElsewhere has a server that was told nothing say the value.
func TestReflectionElsewhere(t *testing.T) {
	set, _, _ := fixture(t)
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nX: " + value + "\r\nContent-Length: 30\r\n\r\n0123456789" + value,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + hexLength(value) + value + "\r\n0\r\n\r\n",
	} {
		for size := 1; size < 20; size++ {
			f := set.Connection(verified("elsewhere.example.com"))
			got := receive(f, split(text, size)...)
			if want := strings.ReplaceAll(text, value, strings.Repeat("*", len(value))); !strings.Contains(want, "chunked") && got != want {
				t.Errorf("in pieces of %d: %q", size, got)
			}
			if _, body := readAll(t, got, "GET"); strings.Contains(body, value[:4]) || !strings.HasSuffix(body, "****************") {
				t.Errorf("in pieces of %d: %q", size, body)
			}
		}
	}
}

// TestGuessing has a script guess the value, character by character, by what is
// held back of what a server repeats.
func TestGuessing(t *testing.T) {
	set, _, _ := fixture(t)
	// guess reports whether the end of what a server says is held back.
	guess := func(f *Filter, text string) bool {
		got := f.Incoming([]byte("."+text), false)
		got = append(got, f.Release()...)
		return !bytes.HasSuffix(got, []byte(text))
	}
	// Somebody who was never told the value is never held back.
	elsewhere := set.Connection(verified("elsewhere.example.com"))
	for n := range len(value) {
		if guess(elsewhere, value[:n]) {
			t.Errorf("%d characters of the value are held back elsewhere", n)
		}
	}
	// In a body of known length so much is held back, whatever it is.
	for _, head := range []string{"Content-Length: 100000", "Transfer-Encoding: chunked"} {
		for _, end := range []string{value[:len(value)-1], value[:5], "anything"} {
			f := set.Connection(verified("api.example.com"))
			send(t, f, "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
			f.Incoming([]byte("HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n"), false)
			if strings.Contains(head, "chunked") {
				f.Incoming([]byte("10000\r\n"), false)
			}
			body := strings.Repeat("x", 1000) + end
			got := f.Incoming([]byte(body), false)
			if f.Held() != 0 || len(f.Release()) != 0 {
				t.Errorf("%s: it is released after a pause", head)
			}
			if held := strings.Count(body, "") - 1 - len(got); held < set.values.longest-20 && !strings.Contains(head, "chunked") {
				t.Errorf("%s: %q at the end: %d are held back", head, end, held)
			}
		}
	}
	// Where a stream may pause, a few guesses are all there are.
	found, tries := 4, 0
	for right := true; right && found < len(token); {
		right = false
		for _, c := range "0123456789abcdef" {
			f := set.Connection(verified("plain.example.com"))
			tries++
			if guess(f, token[:found]+string(c)) && !set.suspicious() {
				right = token[found] == byte(c)
				break
			}
		}
		if right {
			found++
		}
	}
	// Its digits are in the order in which they are tried: 0 to 5 cost 15 guesses.
	if found > 10 || !set.suspicious() || tries < maxProbes {
		t.Errorf("%q of the value were found by guesses, after %d tries", token[:found], tries)
	}
	// From there on what is held back depends on nothing.
	f := set.Connection(verified("plain.example.com"))
	if !guess(f, "anything") || !guess(f, token[:6]) {
		t.Error("it still depends on what it is")
	}
	// In all sandboxes with that value, and no other.
	again, err := New(set.secrets)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New([]Secret{{Name: "A", Value: "something-else", Placeholder: Placeholder("A", [EntropySize]byte{}), Binds: bound("h")}})
	if err != nil {
		t.Fatal(err)
	}
	if !again.suspicious() || other.suspicious() {
		t.Errorf("suspicious: %v, other %v", again.suspicious(), other.suspicious())
	}
	set.forgive()
}

// TestTLSWithinPlain leaves alone what the guest ciphers itself.
func TestTLSWithinPlain(t *testing.T) {
	set, _, _ := fixture(t)
	f := set.Connection(Peer{Names: []string{"api.example.com"}, Port: 443})
	hello := "\x16\x03\x01\x00\x05hello"
	if got := send(t, f, hello); got != hello {
		t.Errorf("sent %q", got)
	}
	answer := "\x16\x03\x03\x00\x05s3"
	if got := string(f.Incoming([]byte(answer), false)); got != answer || f.Held() != 0 {
		t.Errorf("received %q", got)
	}
}
