// Package integration has tests that need an engine and one of the packages
// that do not know any.
package integration
