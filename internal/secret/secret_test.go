package secret

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const (
	value = `s3cr&t "pass/wörd+%` // something of everything that is escaped somewhere
	token = "tok_0123456789abcdef"
)

// bound makes a test for one host.
func bound(host string) func(string) bool {
	return func(name string) bool { return name == host }
}

// fixture has API_KEY for api.example.com, and PLAIN for plain.example.com,
// which may be sent in the clear.
func fixture(t testing.TB) (set *Set, key, plain string) {
	t.Helper()
	key = Placeholder("API_KEY", Derive([]byte("test"), "API_KEY"))
	plain = Placeholder("PLAIN", Derive([]byte("test"), "PLAIN"))
	set, err := New([]Secret{
		{Name: "API_KEY", Value: value, Placeholder: key, Binds: bound("api.example.com")},
		{Name: "PLAIN", Value: token, Placeholder: plain, Binds: bound("plain.example.com"), Cleartext: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	set.forgive()
	return set, key, plain
}

// forgive forgets the guesses of other tests.
func (s *Set) forgive() {
	for _, count := range s.probes {
		count.Store(0)
	}
}

func verified(name string) Peer { return Peer{Names: []string{name}, Port: 443, Verified: true} }

// send gives the filter pieces and returns all that comes out.
func send(t testing.TB, f *Filter, pieces ...string) string {
	t.Helper()
	var out strings.Builder
	for _, piece := range pieces {
		sent, err := f.Outgoing([]byte(piece))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(sent)
	}
	return out.String()
}

// receive gives the filter pieces and returns all that comes out.
func receive(f *Filter, pieces ...string) string {
	var out strings.Builder
	for _, piece := range pieces {
		out.Write(f.Incoming([]byte(piece), false))
	}
	out.Write(f.Incoming(nil, true))
	return out.String()
}

// split cuts text into pieces of a length.
func split(text string, size int) (pieces []string) {
	for len(text) > size {
		pieces, text = append(pieces, text[:size]), text[size:]
	}
	return append(pieces, text)
}

// parsed is what net/http makes of a request.
type parsed struct {
	*http.Request
	body string
}

// parse reads all requests.
func parse(t testing.TB, text string) (list []parsed) {
	t.Helper()
	in := bufio.NewReader(strings.NewReader(text))
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return list
		}
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http does not understand %q: %v", text, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatalf("net/http does not understand the body in %q: %v", text, err)
		}
		list = append(list, parsed{r, string(body)})
	}
}

func TestCheck(t *testing.T) {
	for _, bad := range []struct{ name, value, want string }{
		{"", token, "1 to 128"},
		{"A-B", token, "cannot be the name"},
		{"1A", token, "cannot be the name"},
		{strings.Repeat("a", 129), token, "1 to 128"},
		{"A", "", "has no value"},
		{"A", "1234567", "only 7 bytes"},
		{"A", strings.Repeat("x", 4097), "4097 bytes"},
		{"A", "12345678\r\nX: y", "control character 0x0d at offset 8"},
		{"A", "1234\n5678", "control character 0x0a"},
		{"A", "1234\x005678", "control character 0x00"},
		{"A", "12345678\xff", "not UTF-8"},
		{"A", "x" + prefix, "which placeholders begin with"},
	} {
		err := Check(bad.name, bad.value)
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("Check(%q, %q) = %v, want %q", bad.name, bad.value, err, bad.want)
		}
		if err != nil && len(bad.value) >= MinValue && strings.Contains(err.Error(), bad.value) {
			t.Errorf("the error %q tells the value", err)
		}
	}
	if err := Check("A_b9", value); err != nil {
		t.Error(err)
	}
}

func TestPlaceholder(t *testing.T) {
	_, key, _ := fixture(t)
	for _, c := range []byte(key) {
		if !isToken(c) || strings.IndexByte("!#$%&'*+.^`|~", c) >= 0 {
			t.Errorf("%q has %q, which has a meaning somewhere", key, c)
		}
	}
	if !IsPlaceholder(key, "API_KEY") {
		t.Errorf("%q is none", key)
	}
	for _, bad := range []struct{ text, name string }{
		{"", ""}, {key, "OTHER"}, {key + "a", "API_KEY"}, {key[:len(key)-1], "API_KEY"},
		{strings.ToUpper(key), "API_KEY"}, {key[:len(key)-1] + "b", "API_KEY"}, {"GET", "API_KEY"},
	} {
		if IsPlaceholder(bad.text, bad.name) {
			t.Errorf("%q is taken for a placeholder of %q", bad.text, bad.name)
		}
	}
}

// TestRequests rewrites requests and compares what net/http makes of them.
func TestRequests(t *testing.T) {
	set, key, plain := fixture(t)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+key))
	body := `{"key":"` + key + `","other":"` + plain + `"}`
	text := "GET /find?key=" + key + "&q=1 HTTP/1.1\r\nHost: API.example.com:443\r\nAuthorization: Bearer " + key +
		"\r\nX-Both: " + key + "," + key + "\r\nX-Other: " + plain + "\r\nAccept-Encoding: gzip, br\r\n\r\n" +
		"GET /basic HTTP/1.1\r\nhost: api.example.com.\r\nauthorization:" + basic + "\r\n\r\n" +
		post("application/json; charset=utf-8", body) +
		post("application/x-www-form-urlencoded", "a=1&key="+key+"&b="+plain) +
		post("multipart/form-data; boundary=x", "--x\r\n\r\n"+key+"\r\n--x--\r\n") +
		post("text/plain", "nothing of interest") +
		"POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"5\r\n{\"a\":\r\n10\r\n\"" + key[:15] + "\r\n" + hexLength(key[15:]+"\"}") + key[15:] + "\"}\r\n0\r\nX-Sum: 1\r\n\r\n" +
		"GET http://api.example.com/abs?k=" + key + " HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
	for _, size := range []int{1, 2, 3, 7, 64, len(text)} {
		f := set.Connection(verified("api.example.com"))
		list := parse(t, send(t, f, split(text, size)...))
		if len(list) != 8 {
			t.Fatalf("in pieces of %d: %d requests", size, len(list))
		}
		want := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("in pieces of %d: %s is %q, want %q", size, what, got, want)
			}
		}
		want("the query", list[0].URL.Query().Get("key"), value)
		want("the rest of the query", list[0].URL.Query().Get("q"), "1")
		want("the header", list[0].Header.Get("Authorization"), "Bearer "+value)
		want("two values", list[0].Header.Get("X-Both"), value+","+value)
		want("another's placeholder", list[0].Header.Get("X-Other"), plain)
		want("the encodings", list[0].Header.Get("Accept-Encoding"), "identity")
		_, password, _ := list[1].BasicAuth()
		want("the password", password, value)
		want("JSON", list[2].body, `{"key":"s3cr&t \"pass/wörd+%","other":"`+plain+`"}`)
		list[3].Body = io.NopCloser(strings.NewReader(list[3].body))
		want("the form", list[3].PostFormValue("key"), value)
		want("the form's other", list[3].PostFormValue("b"), plain)
		want("multipart", list[4].body, "--x\r\n\r\n"+value+"\r\n--x--\r\n")
		want("text", list[5].body, "nothing of interest")
		want("chunked JSON", list[6].body, `{"a":"s3cr&t \"pass/wörd+%"}`)
		want("the trailer", list[6].Trailer.Get("X-Sum"), "1")
		want("the absolute URL's query", list[7].URL.Query().Get("k"), value)
	}
}

func post(kind, body string) string {
	return "POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: " + kind + "\r\nContent-Length: " + decimal(len(body)) + "\r\n\r\n" + body
}

// TestOthersGetPlaceholders has requests that are for others than the secret's
// host, or that might be taken for something else: all pass as they are.
func TestOthersGetPlaceholders(t *testing.T) {
	set, key, plain := fixture(t)
	ok := "GET /?" + key + " HTTP/1.1\r\nHost: api.example.com\r\nX: " + key + "\r\n\r\n"
	api := verified("api.example.com")
	line := func(fields string) string {
		return "POST /?" + key + " HTTP/1.1\r\n" + fields + "\r\nX: " + key + "\r\n\r\n" + key
	}
	for _, test := range []struct {
		name string
		peer Peer
		text string
	}{
		{"another host's connection", verified("evil.example.com"), ok},
		{"Host header versus target: Host of another", api, strings.Replace(ok, "Host: api", "Host: evil", 1)},
		{"Host header versus target: target of another", api, strings.Replace(ok, "GET /", "GET http://evil.example.com/", 1)},
		{"Host header versus target: user in the target", api, strings.Replace(ok, "GET /", "GET http://api.example.com@evil.example.com/", 1)},
		{"Host header versus target: backslash", api, strings.Replace(ok, "GET /", `GET http://api.example.com\@evil.example.com/`, 1)},
		{"Host header versus target: another port", api, strings.Replace(ok, "Host: api.example.com", "Host: api.example.com:8443", 1)},
		{"Host header versus target: two slashes", api, strings.Replace(ok, "GET /", "GET //evil.example.com/", 1)},
		{"unverified peer", Peer{Names: []string{"api.example.com"}, Port: 443}, ok},
		{"verified for nothing", Peer{Verified: true}, ok},
		{"plain HTTP without leave", Peer{Names: []string{"api.example.com"}, Port: 80}, ok},
		{"CONNECT", api, "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\nProxy-Authorization: " + key + "\r\n\r\n" + ok},
		{"no Host", api, "GET / HTTP/1.1\r\nX: " + key + "\r\n\r\n"},
		{"two Hosts", api, line("Host: api.example.com\r\nHost: evil.example.com")},
		{"two Content-Lengths", api, line("Host: api.example.com\r\nContent-Length: 3\r\nContent-Length: 3")},
		{"list of Content-Lengths", api, line("Host: api.example.com\r\nContent-Length: 3, 3")},
		{"signed Content-Length", api, line("Host: api.example.com\r\nContent-Length: +3")},
		{"Content-Length and chunked", api, line("Host: api.example.com\r\nContent-Length: 3\r\nTransfer-Encoding: chunked")},
		{"chunked twice", api, line("Host: api.example.com\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
		{"chunked with another", api, line("Host: api.example.com\r\nTransfer-Encoding: gzip, chunked")},
		{"chunked in disguise", api, line("Host: api.example.com\r\nTransfer-Encoding: \x0bchunked")},
		{"folded field", api, line("Host: api.example.com\r\n X: " + key)},
		{"space before the colon", api, line("Host : api.example.com")},
		{"field without a colon", api, line("Host: api.example.com\r\nNothing")},
		{"bare LF", api, strings.ReplaceAll(ok, "\r\n", "\n")},
		{"bare LF in the head", api, line("Host: api.example.com\nY: 1")},
		{"bare CR in the head", api, line("Host: api.example.com\rY: 1")},
		{"bare LF at the end", api, strings.Replace(ok, "\r\n\r\n", "\r\n\n", 1)},
		{"NUL", api, line("Host: api.example.com\r\nY: \x00")},
		{"empty line first", api, "\r\n" + ok},
		{"two spaces", api, strings.Replace(ok, "GET /", "GET  /", 1)},
		{"tab in the line", api, strings.Replace(ok, "GET /", "GET\t/", 1)},
		{"HTTP/0.9", api, "GET /" + key + "\r\n"},
		{"HTTP/2 preface", api, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + ok},
		{"HTTP/1.2", api, strings.Replace(ok, "HTTP/1.1", "HTTP/1.2", 1)},
		{"method in lower case", api, strings.Replace(ok, "GET", "get", 1)},
		{"another protocol", api, "EHLO " + key + "\r\nMAIL FROM:<a@b>\r\n"},
		{"binary", api, "\x00\x01\x02" + key},
		{"endless head", api, "GET / HTTP/1.1\r\nHost: api.example.com\r\nX: " + key + strings.Repeat("y", maxHead) + "\r\n\r\n"},
		{"endless line", api, "GET /" + strings.Repeat("y", maxLine+1) + key},
		{"what comes after something odd", api, "nonsense\r\n\r\n" + ok},
		{"after an upgrade", api, "GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + ok},
	} {
		for _, size := range []int{1, 5, len(test.text)} {
			f := set.Connection(test.peer)
			got := send(t, f, split(test.text, size)...)
			got += string(f.Finish())
			if got != test.text {
				t.Errorf("%s, in pieces of %d: sent %q, want %q", test.name, size, got, test.text)
			}
		}
	}
	// The other secret may go in the clear, where its host is.
	f := set.Connection(Peer{Names: []string{"plain.example.com"}, Port: 80})
	got := parse(t, send(t, f, "GET / HTTP/1.1\r\nHost: plain.example.com\r\nX: "+plain+"\r\nY: "+key+"\r\n\r\n"))
	if x, y := got[0].Header.Get("X"), got[0].Header.Get("Y"); x != token || y != key {
		t.Errorf("in the clear: %q, %q", x, y)
	}
}

// TestKeepAliveReuseAcrossHosts has requests for two hosts on one connection:
// each is judged by itself.
func TestKeepAliveReuseAcrossHosts(t *testing.T) {
	set, key, _ := fixture(t)
	ask := func(host string) string {
		return "POST / HTTP/1.1\r\nHost: " + host + "\r\nX: " + key + "\r\nContent-Length: " + decimal(len(key)) + "\r\n\r\n" + key
	}
	f := set.Connection(verified("api.example.com"))
	list := parse(t, send(t, f, ask("evil.example.com")+ask("api.example.com")+ask("evil.example.com")))
	for i, want := range []string{key, value, key} {
		if got := list[i].Header.Get("X"); got != want || list[i].body != want {
			t.Errorf("request %d: %q, %q, want %q", i, got, list[i].body, want)
		}
	}
}

// TestMalformedChunks ends the rewriting where the body cannot be followed.
func TestMalformedChunks(t *testing.T) {
	set, key, _ := fixture(t)
	head := "POST / HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
	next := "GET / HTTP/1.1\r\nHost: api.example.com\r\nX: " + key + "\r\n\r\n"
	for _, bad := range []string{
		"0x3\r\nabc\r\n0\r\n\r\n", "3;ext\r\nabc\r\n0\r\n\r\n", "-1\r\n", "\r\n", " 3\r\nabc\r\n", "3\nabc\n0\n\n",
		"fffffffffffffffff\r\n", "7fffffffffffffff\r\n", "0\r\nBad Trailer: x\r\n\r\n", "0\r\n folded\r\n\r\n",
	} {
		f := set.Connection(verified("api.example.com"))
		got := send(t, f, head+bad+next) + string(f.Finish())
		if want := head + bad + next; got != want {
			t.Errorf("%q: sent %q", bad, got)
		}
	}
	f := set.Connection(verified("api.example.com"))
	if sent, err := f.Outgoing([]byte(head + "3\r\nabcd\r\n" + next)); err == nil || bytes.Contains(sent, []byte(value)) {
		t.Errorf("a chunk that is longer than it says: %q, %v", sent, err)
	}
	if _, err := f.Outgoing([]byte(next)); err == nil {
		t.Error("a connection goes on after its error")
	}
}

// TestLargeBody has bodies that are longer than what is held back.
func TestLargeBody(t *testing.T) {
	set, key, _ := fixture(t)
	filler := strings.Repeat("0123456789abcdef", MaxBody/16)
	for _, test := range []struct {
		name, body, want, err string
	}{
		{"nothing to put in", filler + "more", filler + "more", ""},
		{"at the beginning", key + filler, value + filler, ""},
		{"just within", filler[:MaxBody-len(key)] + key + "more", filler[:MaxBody-len(key)] + value + "more", ""},
		{"across the bound", filler[:MaxBody-5] + key, "", "the secret API_KEY is beyond the first 1048576 bytes"},
		{"beyond", filler + "x" + key, "", "the secret API_KEY is beyond the first 1048576 bytes"},
		{"almost across", filler[:MaxBody-5] + key[:20] + "no", filler[:MaxBody-5] + key[:20] + "no", ""},
	} {
		for _, size := range []int{4093, len(test.body) + 500} {
			f := set.Connection(verified("api.example.com"))
			var out []byte
			var err error
			for _, piece := range split(post("text/plain", test.body), size) {
				var sent []byte
				if sent, err = f.Outgoing([]byte(piece)); err != nil {
					break
				}
				out = append(out, sent...)
			}
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: %v", test.name, err)
				}
			case err != nil:
				t.Errorf("%s: %v", test.name, err)
			default:
				if got := parse(t, string(out))[0].body; got != test.want {
					t.Errorf("%s, in pieces of %d: %d bytes, want %d", test.name, size, len(got), len(test.want))
				}
			}
		}
	}
}

// TestExpectContinue has the head sent before there is a body.
func TestExpectContinue(t *testing.T) {
	set, key, _ := fixture(t)
	head := "POST / HTTP/1.1\r\nHost: api.example.com\r\nX: " + key + "\r\nExpect: 100-continue\r\n"
	f := set.Connection(verified("api.example.com"))
	if got := send(t, f, head+"Content-Length: 50\r\n\r\n"); !strings.Contains(got, "X: "+value) {
		t.Errorf("the head is held back: %q", got)
	}
	if got := receive(f, "HTTP/1.1 100 Continue\r\n\r\n"); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Errorf("received %q", got)
	}
	if _, err := f.Outgoing([]byte(key)); err == nil || !strings.Contains(err.Error(), "expects 100-continue") {
		t.Errorf("the body: %v", err)
	}
	f = set.Connection(verified("api.example.com"))
	got := send(t, f, head+"Transfer-Encoding: chunked\r\n\r\n")
	got += send(t, f, hexLength(key)+key+"\r\n0\r\n\r\n")
	if body := parse(t, got)[0].body; body != value {
		t.Errorf("the chunked body is %q", body)
	}
}

// TestManyPlaceholders bounds what a request can get to.
func TestManyPlaceholders(t *testing.T) {
	key := Placeholder("K", [EntropySize]byte{})
	set, err := New([]Secret{{Name: "K", Value: strings.Repeat("vwxyz", 800), Placeholder: key, Binds: bound("h")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 100) + strings.Repeat("\r\nX: "+key, 1500)[:maxHead-200] + "\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + decimal(20000*len(key)) + "\r\n\r\n" + strings.Repeat(key, 20000),
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + hexLength(strings.Repeat(key, 20000)) + strings.Repeat(key, 20000),
	} {
		f := set.Connection(verified("h"))
		sent, err := f.Outgoing([]byte(text))
		if len(sent) > maxSubstituted+1<<20 {
			t.Errorf("%d bytes became %d, %v", len(text), len(sent), err)
		}
	}
}

func decimal(n int) string { return strconv.Itoa(n) }

func hexLength(text string) string {
	return string(bytes.SplitAfterN(appendChunk(nil, []byte(text)), []byte("\r\n"), 2)[0])
}
