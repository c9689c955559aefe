package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lines(tb testing.TB, values ...any) []byte {
	tb.Helper()
	var b bytes.Buffer
	for _, v := range values {
		line, err := Line(v)
		if err != nil {
			tb.Fatal(err)
		}
		if bytes.IndexByte(line, '\n') != len(line)-1 {
			tb.Fatalf("%q is not a line", line)
		}
		b.Write(line)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	header := Header{Version: 1, Script: "abc", Entropy: []byte{1, 2}}
	entries := []Entry{
		{Call: 1, Name: "a.b", Args: json.RawMessage(`{"x":"<é\u2028>"}`), Bytes: map[uint32][]byte{1: {0, 255}, 7: {}}},
		{Call: 2, Name: "c", Args: json.RawMessage(`{}`)},
		{Call: 3, Name: "c", Args: json.RawMessage(`{}`)},
		{Done: 3, State: "timed out", Error: "x", Now: true},
		{Waits: 3, Done: 2, State: "json", Value: json.RawMessage(`null`), More: true},
		{Done: 1, State: "bytes", Data: []byte{0}},
	}
	text := lines(t, header, entries[0], entries[1], entries[2], entries[3], entries[4], entries[5])
	h, got, n, err := Parse(text)
	if err != nil || n != len(text) {
		t.Fatalf("%v, %d of %d bytes", err, n, len(text))
	}
	if diff := cmp.Diff(header, h) + cmp.Diff(entries, got); diff != "" {
		t.Error(diff)
	}
	// In the middle of what the guest was given at once.
	_, got, n, err = Parse(text[:len(text)-3])
	if err != nil || len(got) != 5 || got[4].More || n != bytes.LastIndexByte(text[:len(text)-1], '\n')+1 {
		t.Errorf("%v, %+v, %d bytes", err, got, n)
	}
}

func TestFormatErrors(t *testing.T) {
	const header = `{"eryx-journal":1}` + "\n"
	for text, line := range map[string]int{
		"":                                    1,
		"{":                                   1,
		"x\n":                                 1,
		`{"eryx-journal":2}` + "\n":           1,
		header + "x\n":                        2,
		header + "{}\n":                       2,
		header + `{"call":1,"done":1}` + "\n": 2,
		header + `{"call":1}` + "\n" + `{"call":2}` + "\n" + `{"done":1,"now":true}` + "\n":  4,
		header + `{"call":1,"now":true}` + "\n":                                              2,
		header + `{"call":2}` + "\n":                                                         2,
		header + `{"done":1}` + "\n":                                                         2,
		header + `{"call":1,"waits":-1}` + "\n":                                              2,
		header + `{"call":4294967296}` + "\n":                                                2,
		header + `{"call":1}` + "\n" + `{"done":1,"more":true}` + "\n" + `{"call":2}` + "\n": 4,
	} {
		_, _, _, err := Parse([]byte(text))
		var format *FormatError
		if !errors.As(err, &format) || format.Line != line {
			t.Errorf("%q: %v, want line %d", text, err, line)
		}
	}
}

// FuzzParse checks that what can be read says the same when it is written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"eryx-journal":1}` + "\n" + `{"call":1,"args":{"a":1}}` + "\n" + `{"done":1,"state":"json","value":1}` + "\n"))
	f.Add([]byte(`{"eryx-journal":1}` + "\n" + `{"call":1,"bytes":{"1":"AA=="}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		header, entries, n, err := Parse(data)
		if err != nil {
			return
		}
		if n > len(data) || n > 0 && data[n-1] != '\n' {
			t.Fatalf("%d bytes of %d", n, len(data))
		}
		values := []any{header}
		for _, e := range entries {
			values = append(values, e)
		}
		again := lines(t, values...)
		h, e, _, err := Parse(again)
		if err != nil || h.Script != header.Script || len(e) != len(entries) {
			t.Errorf("%v, %d entries of %d", err, len(e), len(entries))
		}
	})
}
