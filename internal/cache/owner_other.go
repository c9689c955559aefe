//go:build !unix

package cache

import "io/fs"

// ownerOf does not know.
func ownerOf(fs.FileInfo) (user int, ok bool) { return 0, false }
