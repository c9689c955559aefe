package eryx_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/eryx-build/eryx"
)

// A script reaches one server, and hears that it may not reach another.
func ExampleNetwork() {
	rt := open()
	defer rt.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.URL.Path)
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	result, err := rt.Execute(context.Background(), `
import os, urllib.request
print(urllib.request.urlopen(os.environ["SERVER"] + "/page").read().decode(), end="")
try:
    urllib.request.urlopen("http://example.com/")
except OSError as e:
    print(type(e.reason).__name__)
`, &eryx.SandboxConfig{
		Env:     map[string]string{"SERVER": server.URL},
		Network: &eryx.Network{Hosts: []string{address}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output:
	// hello from /page
	// PermissionError
}
