//go:build !unix

package build_test

// Only where the size of files can be limited is a full disk played.
const fullDiskVar = "ERYX_BUILD_TEST_FULL_DISK"

func buildOnFullDisk(string) int { return 1 }
