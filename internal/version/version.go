// Package version says which version of eryx this is.
package version

// Version is the version of module, tool and bundles made by it.
const Version = "0.1.0"
