package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSizeValue(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1048576": 1 << 20, "512KiB": 512 << 10, "256MiB": 256 << 20, "256mib": 256 << 20, "1g": 1 << 30,
		"1.5 MB": 1500000, "2k": 2048, "10B": 10, "unlimited": -1,
	} {
		v := sizeValue{unlimited: -1}
		if err := v.Set(text); err != nil || v.bytes != want {
			t.Errorf("Set(%q) gives %d, %v; want %d", text, v.bytes, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "MiB", "12 parsecs", "1.2.3", "99999999999999999999G", "NaN", "1e9", "0x10"} {
		v := sizeValue{unlimited: -1}
		if err := v.Set(text); err == nil {
			t.Errorf("Set(%q) gives %d, no error", text, v.bytes)
		}
	}
	if err := (&sizeValue{}).Set("unlimited"); err == nil {
		t.Error("unlimited is accepted where it is not allowed")
	}
}

func TestFormatSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 25270681: "24.1 MiB", 2 << 30: "2 GiB", 5 << 40: "5 TiB"} {
		if got := formatSize(bytes); got != want {
			t.Errorf("formatSize(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestDurationValue(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "2": 2 * time.Second, "2.5": 2500 * time.Millisecond, "1m30s": 90 * time.Second, "unlimited": -1,
	} {
		v := durationValue{unlimited: -1}
		if err := v.Set(text); err != nil || v.duration != want {
			t.Errorf("Set(%q) gives %v, %v; want %v", text, v.duration, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1s", "soon", "NaN", "1e300", "inf"} {
		v := durationValue{unlimited: -1}
		if err := v.Set(text); err == nil {
			t.Errorf("Set(%q) gives %v, no error", text, v.duration)
		}
	}
}

func TestModuleNames(t *testing.T) {
	var v moduleNames
	for _, text := range []string{"json, re", "xml.etree.ElementTree,json,", "_x1"} {
		if err := v.Set(text); err != nil {
			t.Errorf("Set(%q): %v", text, err)
		}
	}
	if diff := cmp.Diff(moduleNames{"json", "re", "xml.etree.ElementTree", "_x1"}, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{"a-b", "a..b", ".a", "1a", "a b", "a;import os", "a\nb"} {
		if err := new(moduleNames).Set(text); err == nil {
			t.Errorf("Set(%q): no error", text)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("ERYX_TEST_HERE", "yes")
	got := environment([]string{"A=1", "B=", "C=x=y", "ERYX_TEST_HERE", "ERYX_TEST_NOWHERE"})
	want := map[string]string{"A": "1", "B": "", "C": "x=y", "ERYX_TEST_HERE": "yes"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimeValue(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"2026-01-31 12:30:05":       "2026-01-31T12:30:05Z",
		"2026-01-31T12:30":          "2026-01-31T12:30:00Z",
		"2026-01-31T12:30:05+01:00": "2026-01-31T12:30:05+01:00",
		"1769817600":                "2026-01-31T00:00:00Z",
		"0":                         "1970-01-01T00:00:00Z",
	} {
		var v timeValue
		if err := v.Set(text); err != nil || v.String() != want {
			t.Errorf("%q gave %s, %v; want %s", text, &v, err, want)
		}
	}
	for _, text := range []string{"", "now", "1969-12-31", "-1", "9999-01-01", "2026-13-01", "99999999999999"} {
		if err := new(timeValue).Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
