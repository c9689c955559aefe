package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func function(name string, run func(ctx context.Context, arguments Arguments) (Value, error)) Function {
	return Function{
		Name: name, Run: run,
		Signature: func() (*Signature, error) {
			return ParseSignature("d", json.RawMessage(`{"properties":{"a":{},"b":{"format":"binary"}},"required":["b"]}`))
		},
	}
}

// hang ends with its context.
func hang(ctx context.Context, _ Arguments) (Value, error) {
	<-ctx.Done()
	return Value{}, ctx.Err()
}

func echo(_ context.Context, arguments Arguments) (Value, error) {
	return Value{JSON: arguments.JSON}, nil
}

func mustStart(t *testing.T, table *Table) Status {
	t.Helper()
	status, err := table.Start(t.Context(), 0, []byte("{}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// TestWaitReportsOnce makes one call after the other finish.
func TestWaitReportsOnce(t *testing.T) {
	gates := make(chan struct{})
	table := New(Config{Limit: -1, Functions: []Function{function("gate", func(context.Context, Arguments) (Value, error) {
		<-gates
		return Value{JSON: []byte("1")}, nil
	})}})
	defer table.Close()
	const n = 100
	for range n {
		if status := mustStart(t, table); status.State != Pending {
			t.Fatalf("started: %+v", status)
		}
	}
	if got, err := table.Wait(t.Context(), 0, nil); len(got) > 0 || err != nil {
		t.Fatalf("%v, %v before anything has finished", got, err)
	}
	close(gates)
	seen := map[uint32]bool{}
	for len(seen) < n {
		finished, err := table.Wait(t.Context(), Forever, nil)
		if err != nil || len(finished) == 0 || len(finished) > maxReported {
			t.Fatalf("waited: %d, %v", len(finished), err)
		}
		for _, status := range finished {
			if seen[status.Number] || status.State != JSON {
				t.Errorf("reported %+v again", status)
			}
			seen[status.Number] = true
			if outcome, err := table.Take(status.Number); err != nil || string(outcome) != "1" {
				t.Errorf("took %q, %v", outcome, err)
			}
			if _, err := table.Take(status.Number); err == nil {
				t.Error("took an outcome twice")
			}
		}
	}
	if got, err := table.Wait(t.Context(), time.Millisecond, nil); len(got) > 0 || err != nil {
		t.Errorf("%v, %v when all have been reported", got, err)
	}
	if table.held != 0 || table.pending != 0 {
		t.Errorf("%d bytes and %d calls are left", table.held, table.pending)
	}
}

// TestJoinedCallsAreNotReported waits for one call among two.
func TestJoinedCallsAreNotReported(t *testing.T) {
	release := make(chan struct{})
	table := New(Config{Limit: -1, Functions: []Function{function("f", func(context.Context, Arguments) (Value, error) {
		<-release
		return Value{Binary: []byte("b"), IsBinary: true}, nil
	})}})
	defer table.Close()
	one, two := mustStart(t, table), mustStart(t, table)
	close(release)
	status, err := table.Join(t.Context(), two.Number, nil)
	if want := (Status{two.Number, Bytes, 1}); err != nil || status != want {
		t.Errorf("joined %+v, %v", status, err)
	}
	finished, err := table.Wait(t.Context(), Forever, nil)
	if want := []Status{{one.Number, Bytes, 1}}; err != nil || !cmp.Equal(finished, want) {
		t.Errorf("waited: %+v, %v", finished, err)
	}
}

// TestPendingCallsAreBounded starts calls that do not end.
func TestPendingCallsAreBounded(t *testing.T) {
	table := New(Config{Limit: -1, Functions: []Function{function("hang", hang)}})
	defer table.Close()
	table.slow = map[uint32]bool{0: true} // to get there sooner
	for {
		status, err := table.Start(t.Context(), 0, []byte("{}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if status.State == Pending {
			continue
		}
		if status.State != Busy || status.Number != maxPending+1 {
			t.Fatalf("%+v", status)
		}
		break
	}
	var err error
	for range 2 * maxPending { // and what is refused is bounded, too
		if _, err = table.Start(t.Context(), 0, []byte("{}"), nil); err != nil {
			break
		}
	}
	if !errors.Is(err, errUntaken) {
		t.Errorf("outcomes that nobody takes: %v", err)
	}
}

// TestHostileNumbers uses numbers that are not those of calls and functions.
func TestHostileNumbers(t *testing.T) {
	table := New(Config{Limit: -1, Functions: []Function{function("hang", hang), function("echo", echo)}})
	defer table.Close()
	pending := mustStart(t, table)
	var number *NumberError
	for _, n := range []uint32{0, 2, 99, 1 << 31, 1<<32 - 1} {
		if _, err := table.Take(n); !errors.As(err, &number) {
			t.Errorf("take %d: %v", n, err)
		}
		if _, err := table.Join(t.Context(), n, nil); !errors.As(err, &number) {
			t.Errorf("join %d: %v", n, err)
		}
		table.Cancel(n)
		if n < 2 {
			continue
		}
		if _, err := table.Start(t.Context(), n, []byte("{}"), nil); !errors.As(err, &number) {
			t.Errorf("start %d: %v", n, err)
		}
		if _, err := table.Describe(n); !errors.As(err, &number) {
			t.Errorf("describe %d: %v", n, err)
		}
	}
	if _, err := table.Take(pending.Number); !errors.As(err, &number) {
		t.Errorf("take what is pending: %v", err)
	}
	for _, arguments := range []string{"", "{", "[]", "null", "{} {}", "\x00"} {
		status, err := table.Start(t.Context(), 1, []byte(arguments), nil)
		if err != nil || status.State != Refused {
			t.Errorf("arguments %q: %+v, %v", arguments, status, err)
		}
	}
	for _, parameter := range []uint32{0, 2, 1 << 31} {
		status, err := table.Start(t.Context(), 1, []byte("{}"), []Binary{{parameter, nil}})
		if err != nil || status.State != Refused {
			t.Errorf("bytes for parameter %d: %+v, %v", parameter, status, err)
		}
	}
}

// TestAround puts a journal around calls, which answers for the function.
func TestAround(t *testing.T) {
	var got Call
	table := New(Config{Limit: -1, Functions: []Function{function("echo", echo)},
		Around: func(_ context.Context, call *Call, next func() (Value, error)) (Value, error) {
			got = *call
			value, err := next()
			value.JSON = bytes.ToUpper(value.JSON)
			return value, err
		}})
	defer table.Close()
	status, err := table.Start(t.Context(), 0, []byte(`{"a":"x"}`), []Binary{{1, []byte("bytes")}})
	if err == nil && status.State == Pending {
		status, err = table.Join(t.Context(), status.Number, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := table.Take(status.Number)
	if err != nil || string(outcome) != `{"A":"X"}` {
		t.Errorf("gave %s, %v", outcome, err)
	}
	want := Call{Number: 1, Name: "echo", Arguments: Arguments{JSON: []byte(`{"a":"x"}`), Binary: map[string][]byte{"b": []byte("bytes")}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestFailures keeps the latest.
func TestFailures(t *testing.T) {
	var f failures
	for n := range uint32(3 * maxFailures) {
		f.add(n+1, "f", errOver)
	}
	if _, err := f.find(2 * maxFailures); err != nil {
		t.Error("remembers one that is old")
	}
	for _, n := range []uint32{2*maxFailures + 1, 3 * maxFailures} {
		if name, err := f.find(n); name != "f" || !errors.Is(err, errOver) {
			t.Errorf("has forgotten number %d", n)
		}
	}
}

func FuzzParseSignature(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"type":"object","properties":{"b":{},"a":{"format":"binary"}},"required":["a","c"]}`,
		`{"additionalProperties":{}}`, `{"properties":[]}`, `{"properties":{"a":true}}`, `null`, `{"type":["object","null"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		signature, err := ParseSignature("", schema)
		if err != nil {
			return
		}
		table := New(Config{Functions: []Function{{Name: "f", Signature: func() (*Signature, error) { return signature, nil }}}})
		if text, err := table.Describe(0); err != nil || !json.Valid([]byte(text)) {
			t.Errorf("described as %s, %v", text, err)
		}
	})
}

func TestParseSignature(t *testing.T) {
	got, err := ParseSignature("d", json.RawMessage(`{"properties":{"z":{"type":"string"},"a":{"contentEncoding":"base64"}},"required":["a","more"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Parameter{
		{Name: "z", Schema: json.RawMessage(`{"type":"string"}`)},
		{Name: "a", Schema: json.RawMessage(`{"contentEncoding":"base64"}`), Binary: true, Required: true},
		{Name: "more", Required: true},
	}
	if diff := cmp.Diff(want, got.Parameters); diff != "" || got.Open {
		t.Errorf("open %v; want (-), got (+):\n%s", got.Open, diff)
	}
	for _, schema := range []string{"", "{}", `{"properties":{},"additionalProperties":true}`, `{"additionalProperties":{"type":"string"}}`} {
		if got, err := ParseSignature("", json.RawMessage(schema)); err != nil || !got.Open {
			t.Errorf("%q is not open, %v", schema, err)
		}
	}
	for _, schema := range []string{`{"type":"string"}`, `{"properties":[]}`, `[]`, `{"required":"a"}`, `{"properties":{}`} {
		if _, err := ParseSignature("", json.RawMessage(schema)); err == nil {
			t.Errorf("%q passed", schema)
		}
	}
}
