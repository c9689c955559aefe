package wasi

import (
	"runtime"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/testcert"
	"github.com/eryx-build/eryx/internal/tlsbio"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

const tlsInterface = "eryx:sandbox/tls@0.1.0#"

// openTLS opens a session and gives its handle, or what it was refused for.
func openTLS(t *testing.T, g *abitest.Guest, settings string) (session uint64, refused bool, why bindings.RefusalCase) {
	t.Helper()
	g.Put(0x4000, settings)
	call(t, g, tlsInterface+"open-session", 0x4000, uint64(len(settings)), ret)
	if g.Bytes[ret] != 0 {
		return 0, true, bindings.RefusalCase(g.Bytes[ret+4])
	}
	return uint64(g.U32(ret + 4)), false, 0
}

// conditionOf calls a method that gives nothing else than a condition.
func conditionOf(t *testing.T, g *abitest.Guest, method string, session uint64) (bool, bindings.Condition) {
	t.Helper()
	call(t, g, tlsInterface+"[method]tls-session."+method, session, ret)
	return g.Bytes[ret] == 0, bindings.Condition(g.Bytes[ret+1])
}

// A guest that opens sessions for ever has as many as it may, and no goroutine
// is left of them.
func TestTLSSessionsAreLimited(t *testing.T) {
	before := runtime.NumGoroutine()
	g, h := newGuest(t, Config{TLS: tlsbio.Policy{Sessions: 5}})
	var sessions []uint64
	for range 5 {
		session, refused, why := openTLS(t, g, `{}`)
		if refused {
			t.Fatal(why)
		}
		if ok, condition := conditionOf(t, g, "handshake", session); ok || condition != bindings.ConditionWantInput {
			t.Fatalf("handshake: %v %v", ok, condition)
		}
		sessions = append(sessions, session)
	}
	if _, refused, why := openTLS(t, g, `{}`); !refused || why != bindings.RefusalTooMany {
		t.Errorf("a sixth: %v %v", refused, why)
	}
	call(t, g, tlsInterface+"[resource-drop]tls-session", sessions[2])
	if _, refused, why := openTLS(t, g, `{}`); refused {
		t.Errorf("after one was dropped: %v", why)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// A guest cannot have the host keep any number of authorities.
func TestTLSAuthoritiesAreLimited(t *testing.T) {
	g, h := newGuest(t, Config{})
	trust := func() string {
		der := testcert.NewAuthority(t, "one of many").Certificate.Raw
		g.Put(0x4000, string(der))
		call(t, g, tlsInterface+"trust-authorities", 0x4000, uint64(len(der)), ret)
		if g.Bytes[ret] != 0 {
			t.Fatal("refused")
		}
		at := g.U32(ret + 4)
		return string(g.Bytes[at : at+g.U32(ret+8)])
	}
	var first uint64
	for i := range maxTrusted {
		settings := `{"verify":2,"authorities":"` + trust() + `"}`
		for range 2 { // the second one costs nothing
			session, refused, why := openTLS(t, g, settings)
			if refused {
				t.Fatalf("set %d: %v", i, why)
			}
			if first == 0 {
				first = session
			} else if i == 0 {
				call(t, g, tlsInterface+"[resource-drop]tls-session", session)
			}
		}
	}
	settings := `{"authorities":"` + trust() + `"}`
	if _, refused, why := openTLS(t, g, settings); !refused || why != bindings.RefusalTooMany {
		t.Errorf("one set more: %v %v", refused, why)
	}
	call(t, g, tlsInterface+"[resource-drop]tls-session", first)
	if _, refused, why := openTLS(t, g, settings); refused {
		t.Errorf("after one was dropped: %v", why)
	}
	if _, refused, why := openTLS(t, g, `{"authorities":"00"}`); !refused || why != bindings.RefusalUnknownAuthorities {
		t.Errorf("unknown ones: %v %v", refused, why)
	}
	if err := h.Close(); err != nil || h.tls.live != 0 || len(h.tls.trusted) != 0 {
		t.Errorf("closed: %v, %d sessions, %d sets", err, h.tls.live, len(h.tls.trusted))
	}
}

func TestTLSSettingsAreChecked(t *testing.T) {
	g, _ := newGuest(t, Config{})
	for _, settings := range []string{
		``, `null]`, `{`, `[]`, `{"other":1}`, `{"verify":9}`, `{"verify":-1}`, `{"min_version":70000}`, `{"suites":[-1]}`,
		`{"alpn":[""]}`, `{"identities":[{"chain":"x","key":"y"}]}`, `{"name":"` + strings.Repeat("x", 300) + `"}`,
		`{"min_version":772,"max_version":771}`,
	} {
		if _, refused, why := openTLS(t, g, settings); !refused || why != bindings.RefusalInvalid {
			t.Errorf("%.40s: refused %v, %v", settings, refused, why)
		}
	}
}

// What a copy holds of a session says that it was left behind.
func TestTLSSessionsAreLostInCopies(t *testing.T) {
	g, h := newGuest(t, Config{})
	session, _, _ := openTLS(t, g, `{}`)
	moment := h.Capture()
	copied, copyHost := newGuest(t, Config{})
	if err := copyHost.Resume(moment, false); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"handshake", "finish"} {
		if ok, condition := conditionOf(t, copied, method, session); ok || condition != bindings.ConditionLost {
			t.Errorf("%s: %v %v", method, ok, condition)
		}
	}
	call(t, copied, tlsInterface+"[method]tls-session.read", session, 10, ret)
	if copied.Bytes[ret] != 1 || bindings.Condition(copied.Bytes[ret+4]) != bindings.ConditionLost {
		t.Error("read does not say that it is lost")
	}
	for _, method := range []string{"take", "rest", "describe", "explain"} {
		call(t, copied, tlsInterface+"[method]tls-session."+method, session, ret)
	}
	for _, method := range []string{"pending", "held", "end"} {
		call(t, copied, tlsInterface+"[method]tls-session."+method, session)
	}
	call(t, copied, tlsInterface+"[method]tls-session.answer", session, 0, 0, 0, ret)
	call(t, copied, tlsInterface+"[resource-drop]tls-session", session)
	if ok, condition := conditionOf(t, g, "handshake", session); ok || condition != bindings.ConditionWantInput {
		t.Errorf("the original: %v %v", ok, condition)
	}
	if _, problems := h.Handles(); len(problems) != 1 || problems[0] != "A TLS session is open" {
		t.Errorf("an image with a session: %v", problems)
	}
}
