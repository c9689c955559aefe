// Custom_library gives scripts a library: callbacks, a Python module that makes
// them convenient, and stubs for a language model's prompt.
//
//	go run ./examples/custom_library python.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

type city struct {
	City string `json:"city"`
}

const module = `
from eryx import callbacks

async def warmest(*cities):
    """The warmest of some cities."""
    temperatures = {city: await callbacks.weather.temperature(city) for city in cities}
    return max(temperatures, key=temperatures.get)
`

const script = `
import climate
result = await climate.warmest("Oslo", "Cairo", "Rome")
`

var temperatures = map[string]float64{"Oslo": 3.5, "Cairo": 31, "Rome": 19}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: custom_library BUNDLE")
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

	library := &eryx.Library{
		Name:    "climate",
		Version: "1.0",
		Callbacks: []eryx.Callback{
			callback.Func("weather.temperature", "The temperature of a city in degrees Celsius.",
				func(_ context.Context, c city) (float64, error) {
					t, ok := temperatures[c.City]
					if !ok {
						return 0, fmt.Errorf("no such city: %s", c.City)
					}
					return t, nil
				}),
		},
		Modules: map[string][]byte{"climate.py": []byte(module)},
	}
	sandbox, err := rt.NewSandbox(ctx, &eryx.SandboxConfig{Libraries: []*eryx.Library{library}})
	if err != nil {
		return err
	}
	defer sandbox.Close()

	fmt.Print(sandbox.Stubs())
	result, err := sandbox.Execute(ctx, script)
	if err != nil {
		return err
	}
	fmt.Println(string(result.Value))
	return nil
}
