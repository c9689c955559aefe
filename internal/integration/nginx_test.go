package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/apt"
	"github.com/eryx-build/eryx/internal/testcert"
)

// startNginx runs Debian's nginx with one server of HTTPS for each version of
// TLS, and gives their ports. It has /large, 10 MiB of zeros, and otherwise tells
// the version.
func startNginx(t *testing.T, leaf *testcert.Leaf, versions ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	packages, err := apt.Fetch(t.Context(), dir, "nginx")
	if err != nil {
		t.Fatalf("this test needs Debian's nginx: %v", err)
	}
	for name, content := range map[string][]byte{
		"server.pem": []byte(leaf.Chain()), "server.key": []byte(leaf.Key()), "large": make([]byte, 10<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ports := map[string]string{}
	servers := ""
	for _, version := range versions {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = listener.Close()
		ports[version] = port
		servers += fmt.Sprintf(`
	server {
		listen 127.0.0.1:%s ssl;
		ssl_certificate %[2]s/server.pem;
		ssl_certificate_key %[2]s/server.key;
		ssl_protocols %s;
		location = /large { alias %[2]s/large; }
		location / { return 200 $ssl_protocol; }
	}`, port, dir, version)
	}
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("\t%s_temp_path %s/%[1]s;\n", kind, dir)
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf("daemon off;\nmaster_process off;\npid %s/pid;\nerror_log stderr crit;\nevents {}\nhttp {\n\taccess_log off;\n%s%s\n}\n", dir, temporary, servers)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(packages.Tree, "usr", "sbin", "nginx"), "-e", "stderr", "-p", dir, "-c", config)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("nginx: %s", said.String())
		}
	})
	for _, port := range ports {
		for range 100 {
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				_ = conn.Close()
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return ports
}

// nginxScript has every client ask nginx.
const nginxScript = `
import httpx, requests, ssl, urllib.request, urllib3
for get in (
    lambda url: requests.get(url).content,
    lambda url: urllib3.PoolManager().request("GET", url).data,
    lambda url: httpx.get(url).content,
    lambda url: urllib.request.urlopen(url).read(),
):
    assert get(url).decode() == version, get(url)
    assert get(url + "large") == bytes(10 << 20)
async def asynchronously():
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(20)))
        assert {a.text for a in answers} == {version}
        assert (await client.get(url + "large")).content == bytes(10 << 20)
await asynchronously()
try: requests.get(wrong); assert False
except requests.exceptions.SSLError as e: assert "IP address mismatch" in str(e), e
`
