package apt

import (
	"errors"
	"strings"
	"testing"
)

func TestFetchWithoutClient(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Fetch(t.Context(), t.TempDir(), "libpython3.14-dev")
	if !errors.Is(err, ErrNoClient) || !strings.Contains(err.Error(), "libpython3.14-dev") {
		t.Error(err)
	}
}

func TestFailure(t *testing.T) {
	err := failure("download x", run(t.Context(), t.TempDir(), []string{"sh", "-c", "echo one; echo two https://me:secret@host/; echo three; echo four >&2; exit 3"}))
	if err == nil || err.Error() != "apt-get could not download x: two https://***@host/; three; four" && strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "one") {
		t.Error(err)
	}
	if err := run(t.Context(), t.TempDir(), []string{"true"}); err != nil {
		t.Error(err)
	}
}
