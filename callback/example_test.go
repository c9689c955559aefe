package callback_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
	"github.com/eryx-build/eryx/internal/testbundle"
)

var bundlePath string

// outside is what there is of a testing.TB before the tests run.
type outside struct{ testing.TB }

func (outside) Helper()                      {}
func (outside) Context() context.Context     { return context.Background() }
func (outside) Fatal(args ...any)            { log.Fatal(args...) }
func (outside) Fatalf(f string, args ...any) { log.Fatalf(f, args...) }

func TestMain(m *testing.M) {
	bundlePath = testbundle.Default(outside{})
	if err := os.Setenv("ERYX_CACHE", testbundle.Dir(outside{})); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// execute runs a script and prints what it prints.
func execute(source string, callbacks ...eryx.Callback) {
	rt, err := eryx.Open(context.Background(), bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	result, err := rt.Execute(context.Background(), source, &eryx.SandboxConfig{Callbacks: callbacks})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
}

// The fields of a struct are the arguments, in their order.
func ExampleFunc() {
	type sum struct {
		A int `json:"a"`
		B int `json:"b,omitempty" jsonschema:"0 unless given"`
	}
	add := callback.Func("add", "Adds numbers.", func(_ context.Context, s sum) (int, error) { return s.A + s.B, nil })
	execute(`
print(await add(1, 2), await add(a=3))
try:
    await add("one")
except TypeError as e:
    print(e)
`, add)
	// Output:
	// 3 3
	// add(): validating /properties/a: type: one has type "string", want "integer"
}

// A callback from a schema, and bytes.
func ExampleNew() {
	size, err := callback.New("size", "How many bytes there are.",
		json.RawMessage(`{"type":"object","properties":{"data":{"type":"string","contentEncoding":"base64"}},"required":["data"]}`),
		func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			var given struct{ Data []byte }
			if err := json.Unmarshal(args, &given); err != nil {
				return nil, err
			}
			return json.Marshal(len(given.Data))
		})
	if err != nil {
		log.Fatal(err)
	}
	execute("print(await size(bytes(1000)))", size)
	// Output: 1000
}
