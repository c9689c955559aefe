// Approval runs a script that needs somebody's approval, in two processes: the
// first one ends when the script has to wait, and leaves a journal; the second
// one goes on from it with the answer. Nothing that was done is done again.
//
//	go run ./examples/approval python.eryx journal.json
//	go run ./examples/approval python.eryx journal.json yes
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
)

const script = `
invoices = await find_invoices(customer="ACME")
total = sum(i["amount"] for i in invoices)
if await approve(action=f"pay {total} to ACME"):
    print("paid", total)
else:
    print("not paid")
`

func callback(name string, call func() (any, error)) eryx.Callback {
	return eryx.Callback{Name: name, Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		value, err := call()
		if err != nil {
			return nil, err
		}
		return json.Marshal(value)
	}}
}

var callbacks = []eryx.Callback{
	callback("find_invoices", func() (any, error) {
		fmt.Println("looking for invoices")
		return []map[string]int{{"amount": 300}, {"amount": 120}}, nil
	}),
	callback("approve", func() (any, error) { return nil, eryx.Suspend("somebody has to approve") }),
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: approval BUNDLE JOURNAL [yes|no]")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		log.Fatal(err)
	}
}

// waiting is what is kept between the processes.
type waiting struct {
	Call    int    `json:"call"`
	Journal []byte `json:"journal"`
}

func run(ctx context.Context, bundle, file string, answer []string) error {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	journal := &eryx.Journal{}
	if len(answer) > 0 {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var w waiting
		if err := json.Unmarshal(text, &w); err != nil {
			return err
		}
		approved, err := json.Marshal(answer[0] == "yes")
		if err != nil {
			return err
		}
		journal.Replay = w.Journal
		journal.Answers = map[int]eryx.Answer{w.Call: {Value: eryx.Value{JSON: approved}}}
	}

	result, err := rt.Execute(ctx, script, &eryx.SandboxConfig{Callbacks: callbacks, Journal: journal})
	var suspended *eryx.SuspendedError
	if errors.As(err, &suspended) {
		call := suspended.Calls[0]
		fmt.Printf("%s: %s\n", call.Reason, call.Arguments.JSON)
		text, err := json.Marshal(waiting{call.Number, suspended.Journal})
		if err != nil {
			return err
		}
		return os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s", result.Stdout)
	return nil
}
