package base

import (
	"errors"
	"strings"
	"testing"
)

func TestOfflineNeedsNoClient(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	f := newFixture(t)
	c := openCache(t)
	_, err := f.load(t, Options{Offline: true, Cache: c})
	if !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "componentize-py 0.24.0") || !strings.Contains(err.Error(), "--base FILE") {
		t.Errorf("got %v", err)
	}
	if _, err := f.load(t, Options{Cache: c}); !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "$ERYX_PIP") {
		t.Errorf("without a client: %v", err)
	}
}
