package wheels

import (
	"errors"
	"strings"
	"testing"
)

// Where markers are read otherwise than packaging reads them.
func TestMarkersUnlikePackaging(t *testing.T) {
	if m, err := ParseMarker(`os_name == "a\\b"`); err == nil {
		t.Errorf("a backslash was accepted: %s", m)
	}
	for text, want := range map[string]bool{
		"sys_platform == platform_system": true, "os_name == sys_platform": false, "python_version < python_full_version": false,
		"python_full_version >= python_version": true, "platform_machine in sys_platform": false,
	} {
		m, err := ParseMarker(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.Eval(TargetEnvironment()); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestMarkerBounds(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat("(", n) + `os_name == "posix"` + strings.Repeat(")", n)
	}
	if _, err := ParseMarker(nested(maxMarkerDepth)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{nested(maxMarkerDepth + 1), nested(100_000), `os_name == "` + strings.Repeat("x", maxRequirement) + `"`} {
		if _, err := ParseMarker(text); err == nil {
			t.Errorf("a marker of %d bytes was accepted", len(text))
		}
	}
}

func TestMarkerErrors(t *testing.T) {
	m, err := ParseMarker(`os_name == "posix" or "a" in extras`)
	if err != nil {
		t.Fatal(err)
	}
	var undefined *MarkerError
	if _, err = m.Eval(TargetEnvironment()); !errors.As(err, &undefined) || undefined.Code() != CodeMarker || !strings.Contains(err.Error(), "extras has no value") {
		t.Errorf("error is %v", err)
	}
	if _, err := m.Eval(nil); err == nil {
		t.Error("a marker without an environment has a value")
	}
	several, err := ParseMarker(`extra == "b"`)
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := several.Eval(nil, "a", "B"); err != nil || !holds {
		t.Errorf("with two extras: %v, %v", holds, err)
	}
}
