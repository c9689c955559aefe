module github.com/eryx-build/eryx/examples/embedded_runtime

go 1.26.0

require github.com/eryx-build/eryx v0.0.0

replace github.com/eryx-build/eryx => ../..
