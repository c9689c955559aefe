package stubs

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/calls"
)

func function(t testing.TB, name, description, parameters, returns string) Function {
	t.Helper()
	signature, err := calls.ParseSignature(description, json.RawMessage(parameters))
	if err != nil {
		t.Fatal(err)
	}
	return Function{Name: name, Signature: signature, Returns: json.RawMessage(returns)}
}

func TestText(t *testing.T) {
	got := Text([]Function{
		function(t, "add", "Adds \"\"\" two\nnumbers.", `{"properties":{"x":{"type":"integer","description":"the first"},"y":{"type":["null","number"]},"z":{"type":"boolean"},"class":{}},"required":["x","z"]}`, `{"type":"integer"}`),
		function(t, "search.query", "", `{"properties":{"q":{"enum":["a",1,null,true]}}}`, `{"type":["null","array"],"items":{"anyOf":[{"type":"string"},{"type":"null"}]}}`),
		function(t, "search.deep.er", "One line", "", `{"type":"string","contentEncoding":"base64"}`),
		function(t, "get-weather", "Weather.", `{"properties":{"city":{"type":"string"}}}`, `{"type":"object","additionalProperties":{"type":"number"}}`),
	})
	want := `async def add(x: int, y: float | None = ..., *, z: bool, **kwargs: Any) -> int:
    """Adds \"\"\" two
    numbers.

    Args:
        x: the first
    """

class search:
    @staticmethod
    async def query(q: Literal["a", 1, None, True] = ...) -> list[str | None] | None:
        ...

    class deep:
        @staticmethod
        async def er(**kwargs: Any) -> bytes:
            """One line"""

# await invoke("get-weather", ...), with the arguments of:
async def _(city: str = ...) -> dict[str, float]:
    """Weather."""
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a.b", "d\"", `{"properties":{"x":{"type":["string","null"],"enum":[1]}}}`, `{"items":{"items":{}},"type":"array"}`)
	f.Fuzz(func(t *testing.T, name, description, parameters, returns string) {
		signature, err := calls.ParseSignature(description, json.RawMessage(parameters))
		if err != nil {
			return
		}
		if Text([]Function{{name, signature, json.RawMessage(returns)}}) == "" {
			t.Error("no text")
		}
	})
}
