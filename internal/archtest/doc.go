// Package archtest holds the architecture to what its table says: which
// package may import which, which packages are pure, which of the outside
// world each may use, and a few rules about the tree as a whole.
//
// The table is the map of the house. A new package does not pass until it has
// been given its place there, and a new import between packages does not pass
// until somebody has decided that it points in the right direction. Everything
// is read from source, for all platforms at once; nothing is built.
package archtest
