package eryx_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/eryx-build/eryx"
)

// A script uses a key that it does not see. The server stands for one of
// somebody else's; over TLS, as it would be, Cleartext is not needed.
func ExampleSecret() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "accepted: %v; you sent %q", r.Header.Get("Authorization") == "Bearer tk-4f7a9c2e", r.Header.Get("Authorization"))
	}))
	defer server.Close()

	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `
import os, urllib.request
request = urllib.request.Request(os.environ["URL"], headers={"Authorization": "Bearer " + os.environ["API_KEY"]})
print(urllib.request.urlopen(request).read().decode())
print("the key is", os.environ["API_KEY"][:20] + "...")
`, &eryx.SandboxConfig{
		Env:     map[string]string{"URL": "http://localhost" + server.URL[len("http://127.0.0.1"):]},
		Network: &eryx.Network{Hosts: []string{"localhost:*"}},
		Secrets: []eryx.Secret{{Name: "API_KEY", Value: "tk-4f7a9c2e", Hosts: []string{"localhost"}, Cleartext: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(result.Stdout))
	// Output:
	// accepted: true; you sent "Bearer ***********"
	// the key is eryx-secret-API_KEY-...
}
