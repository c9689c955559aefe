// Runtime_callbacks gives scripts functions that are known only when the program
// runs, as those of plug-ins are: each from its name, its JSON schema and a
// function of JSON.
//
//	go run ./examples/runtime_callbacks python.eryx
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

// plugin is what might be read from a file.
type plugin struct {
	name, description, schema string
}

var plugins = []plugin{
	{"text.repeat", "Repeats a text.", `{
		"type": "object",
		"properties": {"text": {"type": "string"}, "times": {"type": "integer", "minimum": 1, "maximum": 10}},
		"required": ["text", "times"]}`},
	{"echo", "Gives its arguments back.", `{"type": "object", "additionalProperties": true}`},
}

const script = `
print([c["name"] for c in list_callbacks()])
print(await text.repeat("ab", times=3))
print(await echo(a=1, b=[True, None]))
try:
    await text.repeat("ab", times=0)
except TypeError as e:
    print("TypeError:", e)
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: runtime_callbacks BUNDLE")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, bundle string) error {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	config := &eryx.SandboxConfig{Stdout: os.Stdout}
	for _, p := range plugins {
		c, err := callback.New(p.name, p.description, json.RawMessage(p.schema), p.call)
		if err != nil {
			return err
		}
		config.Callbacks = append(config.Callbacks, c)
	}
	result, err := rt.Execute(ctx, script, config)
	if err != nil {
		return err
	}
	fmt.Println(result.Callbacks, "calls")
	return nil
}

// call is what would be passed on to the plug-in.
func (p plugin) call(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
	if p.name == "echo" {
		return args, nil
	}
	var given struct {
		Text  string
		Times int
	}
	if err := json.Unmarshal(args, &given); err != nil {
		return nil, err
	}
	text := ""
	for range given.Times {
		text += given.Text
	}
	return json.Marshal(text)
}
