module github.com/eryx-build/eryx/wit/bindgen

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	go.bytecodealliance.org v0.7.0
)

require (
	github.com/coreos/go-semver v0.3.1 // indirect
	github.com/tetratelabs/wazero v1.9.0 // indirect
)
