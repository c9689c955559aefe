package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sizeValue is a flag that takes a number of bytes, e.g. "256MiB".
type sizeValue struct {
	bytes     int64
	unlimited int64 // what "unlimited" means; 0 where it is not allowed
}

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
	"kb": 1000, "mb": 1000 * 1000, "gb": 1000 * 1000 * 1000,
}

func (v *sizeValue) Set(text string) error {
	if v.unlimited != 0 && text == "unlimited" {
		v.bytes = v.unlimited
		return nil
	}
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(text)
	}
	number, err := strconv.ParseFloat(text[:end], 64)
	unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(text[end:]))]
	bytes := number * float64(unit)
	if err != nil || !known || bytes < 1 || bytes > math.MaxInt64/2 {
		return fmt.Errorf("not a size such as 1048576, 512KiB or 256MiB%s", v.orUnlimited())
	}
	v.bytes = int64(bytes)
	return nil
}

func (v *sizeValue) orUnlimited() string {
	if v.unlimited != 0 {
		return ", nor \"unlimited\""
	}
	return ""
}

func (v *sizeValue) String() string {
	switch v.bytes {
	case 0:
		return ""
	case v.unlimited:
		return "unlimited"
	}
	return strings.ReplaceAll(formatSize(v.bytes), " ", "")
}

func (v *sizeValue) Type() string { return "SIZE" }

// formatSize renders a number of bytes for people, e.g. "24.1 MiB".
func formatSize(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, i := float64(bytes), 0
	for value >= 1024 && i < len(units)-1 {
		value /= 1024
		i++
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0") + " " + units[i]
}

// durationValue is a flag that takes a duration as Go writes it or a number
// of seconds as timeout(1) takes it.
type durationValue struct {
	duration  time.Duration
	unlimited time.Duration // what "unlimited" means; 0 where it is not allowed
}

func (v *durationValue) Set(text string) error {
	if v.unlimited != 0 && text == "unlimited" {
		v.duration = v.unlimited
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		var seconds float64
		seconds, err = strconv.ParseFloat(text, 64)
		if seconds < math.MaxInt64/float64(time.Second) { // neither too long nor NaN
			d = time.Duration(seconds * float64(time.Second))
		}
	}
	if err != nil || d <= 0 {
		hint := ""
		if v.unlimited != 0 {
			hint = ", nor \"unlimited\""
		}
		return fmt.Errorf("not a duration such as 500ms, 2.5 (seconds) or 1m30s%s", hint)
	}
	v.duration = d
	return nil
}

func (v *durationValue) String() string {
	switch v.duration {
	case 0:
		return ""
	case v.unlimited:
		return "unlimited"
	}
	return v.duration.String()
}

func (v *durationValue) Type() string { return "DURATION" }

// timeValue is a flag that takes a moment, as RFC 3339 has it, a day or seconds
// since 1970.
type timeValue struct{ time time.Time }

func (v *timeValue) Set(text string) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04", time.DateOnly} {
		at, err := time.Parse(layout, text)
		if err == nil {
			return v.set(at)
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return v.set(time.Unix(seconds, 0).UTC())
	}
	return fmt.Errorf("not a time such as 2026-01-31, 2026-01-31T12:00:00Z or 1769860800 (seconds since 1970)")
}

func (v *timeValue) set(at time.Time) error {
	if at.Unix() < 0 || at.Year() > 2262 {
		return fmt.Errorf("not between the years 1970 and 2262")
	}
	v.time = at
	return nil
}

func (v *timeValue) String() string {
	if v.time.IsZero() {
		return ""
	}
	return v.time.Format(time.RFC3339)
}

func (v *timeValue) Type() string { return "TIME" }

// choiceValue is a flag that takes one of several words.
type choiceValue struct {
	value   string
	choices []string
}

func (v *choiceValue) Set(text string) error {
	if !slices.Contains(v.choices, text) {
		return fmt.Errorf("not one of %s", strings.Join(v.choices, ", "))
	}
	v.value = text
	return nil
}

func (v *choiceValue) String() string { return v.value }

func (v *choiceValue) Type() string { return strings.Join(v.choices, "|") }

// moduleNames is a repeatable flag that takes names of Python modules,
// separated by commas. Order is kept, repetitions are dropped.
type moduleNames []string

func (v *moduleNames) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !isModuleName(name) {
			return fmt.Errorf("%q is not the name of a Python module", name)
		}
		if !slices.Contains(*v, name) {
			*v = append(*v, name)
		}
	}
	return nil
}

func (v *moduleNames) String() string { return strings.Join(*v, ",") }

func (v *moduleNames) Type() string { return "MODULES" }

// isModuleName reports whether name is identifiers joined by dots. Identifiers
// beyond ASCII are left to Python to judge.
func isModuleName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || part[0] >= '0' && part[0] <= '9' {
			return false
		}
		for _, r := range part {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= 0x80
			if !letter && (r < '0' || r > '9') {
				return false
			}
		}
	}
	return true
}
