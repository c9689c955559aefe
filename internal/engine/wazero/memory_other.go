//go:build !linux && !darwin

package wazero

type block = copyBlock

// mapsFiles says whether images are mapped rather than copied.
const mapsFiles = false
