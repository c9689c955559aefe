package secret

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// pieces cuts data in places that cuts says.
func pieces(data, cuts []byte) (list [][]byte) {
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)]))
		}
		list, data = append(list, data[:n]), data[n:]
	}
	return list
}

// requestsOf is what net/http makes of a client's stream, as far as it
// understands it.
func requestsOf(data []byte) (list []string) {
	in := bufio.NewReader(bytes.NewReader(data))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return list
		}
		body, err := io.ReadAll(r.Body)
		var b strings.Builder
		b.WriteString(r.Method + " " + r.RequestURI + " " + r.Host + "\n")
		_ = r.Header.Write(&b)
		list = append(list, b.String()+string(body))
		if err != nil {
			return list
		}
	}
}

// FuzzRequests has a filter write whatever a guest may send, in pieces.
func FuzzRequests(f *testing.F) {
	set, key, plain := fixture(f)
	for _, text := range []string{
		"GET /?a=K HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer K\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Basic dXNlcjpLRVk=\r\n\r\n",
		"POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\nContent-Length: 44\r\n\r\nK",
		"POST / HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\nK\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: evil.example.com\r\nX: K\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: api.example.com\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"K\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01K",
	} {
		f.Add([]byte(strings.ReplaceAll(text, "K", key)), []byte{5, 1, 40})
		f.Add([]byte(strings.ReplaceAll(text, "K", plain)), []byte{})
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		if bytes.Contains(data, []byte(value)) || bytes.Contains(data, []byte(token)) {
			return
		}
		run := func(peer Peer, list [][]byte) ([]byte, error) {
			f := set.Connection(peer)
			var out []byte
			for _, piece := range list {
				given := slices.Clone(piece)
				sent, err := f.Outgoing(given)
				if err != nil {
					return out, err
				}
				if !bytes.Equal(given, piece) {
					t.Fatal("the guest's bytes were changed")
				}
				out = append(out, sent...)
			}
			return append(out, f.Finish()...), nil
		}
		// Nobody else gets anything but what the guest wrote.
		for _, peer := range []Peer{
			verified("evil.example.com"), {Names: []string{"api.example.com"}}, {Names: []string{"evil.example.com"}, Port: 80}, {},
		} {
			out, err := run(peer, pieces(data, cuts))
			if err != nil || !bytes.Equal(out, data) {
				t.Fatalf("%v was sent %q, %v, want %q", peer, out, err, data)
			}
		}
		// The host that it is for gets the same however it is cut.
		whole, err := run(verified("api.example.com"), [][]byte{data})
		cut, err2 := run(verified("api.example.com"), pieces(data, cuts))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("errors %v and %v", err, err2)
		}
		if a, b := requestsOf(whole), requestsOf(cut); err == nil && !slices.Equal(a, b) {
			t.Fatalf("in pieces: %q\nwhole: %q", b, a)
		}
		if bytes.Contains(whole, []byte(token)) {
			t.Fatal("a host was sent another's secret")
		}
		// A request that has the value is for the host.
		for _, r := range requestsOf(whole) {
			if first, _, _ := strings.Cut(r, "\n"); strings.Contains(r, value) && !strings.Contains(strings.ToLower(first), " api.example.com") {
				t.Fatalf("the value is in a request for another: %q", r)
			}
		}
	})
}

// FuzzResponses has a filter mask whatever a server may send, in pieces.
func FuzzResponses(f *testing.F) {
	set, key, _ := fixture(f)
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nX: V\r\n\r\nV",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\nV\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nV V",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\nTransfer-Encoding:\n chunked\n\n3\nabc\n0\n\n",
		"220 V\r\n", "\x15\x03\x01V", key,
	} {
		f.Add([]byte("GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n"), []byte(strings.ReplaceAll(text, "V", value)), []byte{5, 1, 40})
		f.Add([]byte("HEAD / HTTP/1.1\r\nHost: api.example.com\r\n\r\n"), []byte(strings.ReplaceAll(text, "V", asciiJSON(value))), []byte{})
	}
	f.Fuzz(func(t *testing.T, request, data, cuts []byte) {
		run := func(list [][]byte, pause bool) (out []byte) {
			set.forgive()
			f := set.Connection(verified("api.example.com"))
			_, _ = f.Outgoing(request)
			for _, piece := range list {
				out = append(out, f.Incoming(slices.Clone(piece), false)...)
				if pause {
					out = append(out, f.Release()...)
				}
				if f.Held() != 0 && pause {
					t.Fatal("something is still held after its release")
				}
				if held := cap(f.responses.in) + len(f.responses.text.held); held > 1<<20 {
					t.Fatalf("%d bytes are held", held)
				}
			}
			return append(out, f.Incoming(nil, true)...)
		}
		whole, cut := run([][]byte{data}, false), run(pieces(data, cuts), false)
		paused := run(pieces(data, cuts), true)
		secret := []byte(value)
		if !isTLS(request) && (bytes.Contains(whole, secret) || bytes.Contains(cut, secret) || bytes.Contains(paused, secret)) {
			t.Fatalf("the value comes through: %q, %q, %q", whole, cut, paused)
		}
		if !bytes.Contains(bytes.ToLower(data), []byte("chunked")) {
			if !bytes.Equal(whole, cut) || len(whole) != len(data) || len(paused) != len(data) {
				t.Fatalf("in pieces: %q\npaused: %q\nwhole: %q", cut, paused, whole)
			}
			return
		}
		body := func(data []byte) string {
			r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), &http.Request{Method: "GET"})
			if err != nil {
				return ""
			}
			defer r.Body.Close()
			body, _ := io.ReadAll(r.Body)
			return string(body)
		}
		// Where the length of the original is known, it stays.
		if a, b := body(whole), body(cut); a != b && !strings.Contains(string(request), "HEAD") {
			t.Fatalf("in pieces: %q\nwhole: %q", b, a)
		}
	})
}

// FuzzStream masks whatever a guest may print, in pieces.
func FuzzStream(f *testing.F) {
	set, key, _ := fixture(f)
	f.Add([]byte("x"+value+key), []byte{1})
	f.Add([]byte(asciiJSON(value)+value[:9]+value), []byte{3, 1, 9})
	for _, form := range forms {
		f.Add([]byte(form.write("ab"+value+"cd")), []byte{})
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		want := set.Bytes(data)
		if len(want) != len(data) || bytes.Contains(want, []byte(value)) || bytes.Contains(want, []byte(key)) {
			t.Fatalf("%q became %q", data, want)
		}
		patient, hasty := set.Stream(), set.Stream()
		var out, kept []byte
		for _, piece := range pieces(data, cuts) {
			patient.Write(piece)
			out = append(out, patient.Ready()...)
			late := hasty.Write(piece)
			for i := range min(late, len(kept)) {
				if c := &kept[len(kept)-1-i]; *c != '\r' && *c != '\n' {
					*c = set.fill
				}
			}
			kept = append(kept, hasty.Short()...)
		}
		out, kept = append(out, patient.Rest()...), append(kept, hasty.Rest()...)
		if !bytes.Equal(out, want) || !bytes.Equal(kept, want) {
			t.Fatalf("in pieces: %q\nlate: %q\nwant: %q", out, kept, want)
		}
	})
}
