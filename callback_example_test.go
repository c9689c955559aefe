package eryx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/eryx-build/eryx"
)

// A callback without Go types: JSON in, JSON out.
func ExampleCallback() {
	rt := open()
	defer rt.Close()
	upper := eryx.Callback{
		Name:       "greet",
		Parameters: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}`),
		Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			var given struct{ Name string }
			if err := json.Unmarshal(args, &given); err != nil {
				return nil, err
			}
			return json.Marshal("hello, " + given.Name)
		},
	}
	result, err := rt.Execute(context.Background(), "print(await greet('world'))",
		&eryx.SandboxConfig{Callbacks: []eryx.Callback{upper}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output: hello, world
}

// What a callback returns as its error is found again, if the script did not
// catch it.
func ExampleCallbackError() {
	rt := open()
	defer rt.Close()
	errFull := errors.New("the disk is full")
	save := eryx.Callback{Name: "save", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		return nil, errFull
	}}
	_, err := rt.Execute(context.Background(), "await save(text='x')", &eryx.SandboxConfig{Callbacks: []eryx.Callback{save}})
	fmt.Println(err)
	fmt.Println(errors.Is(err, errFull))
	// Output:
	// eryx: callback save: the disk is full (line 1)
	// true
}
