package cache

import (
	"errors"

	"golang.org/x/sys/windows"
)

// busy says whether a file cannot be removed because it is open or mapped.
func busy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
}
