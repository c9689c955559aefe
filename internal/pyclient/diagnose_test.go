package pyclient

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommand(t *testing.T) {
	for line, want := range map[string][]string{
		"uv":                               {"uv"},
		"  python3.13   -m pip ":           {"python3.13", "-m", "pip"},
		`"C:\Program Files\py.exe" -m pip`: {`C:\Program Files\py.exe`, "-m", "pip"},
		`a'b c'd ''`:                       {"ab cd", ""},
	} {
		got, err := splitCommand(line)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, %s", line, err, diff)
		}
	}
	for _, line := range []string{" ", `"x`, `''`} {
		if got, err := splitCommand(line); err == nil {
			t.Errorf("%q gives %q", line, got)
		}
	}
}

// TestDiagnose gives it what pip and uv print.
func TestDiagnose(t *testing.T) {
	exit := errors.New("exit status 1")
	for _, test := range []struct {
		name, output    string
		want            Failure
		problem, detail string
	}{
		{name: "no pip", output: "/usr/bin/python3: No module named pip\n", want: Failure{Absent: true}, detail: "No module named pip"},
		{
			name: "refused", problem: "cannot reach the package index", detail: "[Errno 111] Connection refused",
			output: "Looking in indexes: http://user:secret@127.0.0.1:9/simple\n" +
				"WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at 0x7fd6976ca350>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/componentize-py/\n" +
				"ERROR: Could not find a version that satisfies the requirement componentize-py==0.24.0 (from versions: none)\nERROR: No matching distribution found for componentize-py==0.24.0\n",
		},
		{
			name: "uv refused", problem: "cannot reach the package index", detail: "tcp connect error",
			output: "error: Request failed after 3 retries in 6.9s\n  cause: error sending request for url (http://x/simple/)\n  cause: client error (Connect)\n  cause: tcp connect error\n",
		},
		{
			name: "not offered", want: Failure{NotOffered: true}, problem: "does not offer", detail: "No matching distribution found for componentize-py==0.24.0",
			output: "Looking in links: x\nERROR: Could not find a version that satisfies the requirement componentize-py==0.24.0 (from versions: none)\nERROR: No matching distribution found for componentize-py==0.24.0\n",
		},
		{
			name: "tampered", problem: "another SHA-256",
			output: "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated …\n    componentize-py==0.24.0 from x:\n        Expected sha256 00\n             Got        8c\n",
		},
		{name: "uv tampered", problem: "another SHA-256", output: "error: Failed to download `componentize-py==0.24.0`\n  cause: Hash mismatch for `componentize-py==0.24.0`\n"},
		{name: "full", problem: "disk is full", output: "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"},
		{name: "credentials", problem: "refuses access", output: "ERROR: HTTP error 401 while getting x\nERROR: 401 Client Error: Unauthorized for url: https://user:secret@index.example/simple/\n", detail: "https://index.example/simple/"},
		{name: "certificate", problem: "certificate is not trusted", output: "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))\n"},
		{name: "old client", problem: "does not understand", output: "Usage: pip download\n\nno such option: --progress-bar\n"},
		{name: "anything else", problem: "failed (exit status 1)", detail: "ouch", output: "ERROR: ouch\n\ntrailer\n"},
		{name: "silence", problem: "failed (exit status 1)"},
		{name: "a long line", problem: "failed", detail: "…", output: "error: " + strings.Repeat("x", 1000)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := diagnose(test.output, exit)
			if got.Absent != test.want.Absent || got.NotOffered != test.want.NotOffered || !strings.Contains(got.Problem, test.problem) || !strings.Contains(got.Detail, test.detail) {
				t.Errorf("got %+v", got)
			}
			got.Client = "pip"
			text := got.Error()
			if strings.Contains(text, "secret") || strings.Contains(text, "object at") || len(text) > 700 {
				t.Errorf("message: %s", text)
			}
			if !strings.HasPrefix(text, "pip: ") {
				t.Errorf("message: %s", text)
			}
		})
	}
}
