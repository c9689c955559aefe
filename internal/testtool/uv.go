package testtool

import "testing"

// UV is the path of uv, the other package client: $UV, or the one that
// `make setup` installed, or one in $PATH.
func UV(t testing.TB) string {
	t.Helper()
	return find(t, "uv", "UV")
}
