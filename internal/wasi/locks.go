package wasi

import (
	"context"
	"errors"

	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// LockFile implements eryx:sandbox/locks.
func (h *Host) LockFile(_ context.Context, file uint32, kind bindings.LockKind, start, length uint64) (bindings.LockOutcome, error) {
	return h.lock(file, kind, start, length, false)
}

// TestLock implements eryx:sandbox/locks.
func (h *Host) TestLock(_ context.Context, file uint32, kind bindings.LockKind, start, length uint64) (bindings.LockOutcome, error) {
	return h.lock(file, kind, start, length, true)
}

var lockKinds = [...]vfs.LockKind{
	bindings.LockKindRead:  vfs.ReadLock,
	bindings.LockKindWrite: vfs.WriteLock,
	bindings.LockKindNone:  vfs.Unlock,
}

func (h *Host) lock(file uint32, kind bindings.LockKind, start, length uint64, test bool) (bindings.LockOutcome, error) {
	handle, err := h.descriptor(bindings.Descriptor(file))
	if err != nil {
		return 0, err
	}
	granted, err := handle.Lock(lockKinds[kind], start, length, test)
	var reason vfs.Error
	switch {
	case errors.As(err, &reason):
		return bindings.LockOutcomeFailed, nil
	case err != nil:
		return 0, err
	case granted:
		return bindings.LockOutcomeGranted, nil
	}
	return bindings.LockOutcomeRefused, nil
}
