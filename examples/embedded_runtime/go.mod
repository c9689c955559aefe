module github.com/eryx-build/eryx/examples/embedded_runtime

go 1.26.0

require github.com/eryx-build/eryx v0.0.0

require (
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/eryx-build/eryx => ../..
