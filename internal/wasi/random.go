package wasi

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/eryx-build/eryx/internal/abi"
)

// maxRandom is the most random bytes that one call gives. The functions have
// no way to give fewer than asked, so more ends the guest; libc asks for 256
// at a time.
const maxRandom = 1 << 20

func randomBytes(r io.Reader, length uint64) ([]byte, error) {
	if length > maxRandom {
		return nil, &abi.Error{Reason: fmt.Sprintf("it asked for %d random bytes; %d is the most", length, maxRandom)}
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("reading %d random bytes: %w", length, err)
	}
	return b, nil
}

func randomU64(r io.Reader) (uint64, error) {
	b, err := randomBytes(r, 8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// GetRandomBytes implements wasi:random/random.
func (h *Host) GetRandomBytes(_ context.Context, length uint64) ([]byte, error) {
	return randomBytes(h.config.Random, length)
}

// GetRandomU64 implements wasi:random/random.
func (h *Host) GetRandomU64(context.Context) (uint64, error) { return randomU64(h.config.Random) }

// GetInsecureRandomBytes implements wasi:random/insecure.
func (h *Host) GetInsecureRandomBytes(_ context.Context, length uint64) ([]byte, error) {
	return randomBytes(h.config.InsecureRandom, length)
}

// GetInsecureRandomU64 implements wasi:random/insecure.
func (h *Host) GetInsecureRandomU64(context.Context) (uint64, error) {
	return randomU64(h.config.InsecureRandom)
}

// InsecureSeed implements wasi:random/insecure-seed.
func (h *Host) InsecureSeed(context.Context) (seed [2]uint64, err error) {
	for i := range seed {
		if seed[i], err = randomU64(h.config.InsecureRandom); err != nil {
			return [2]uint64{}, err
		}
	}
	return seed, nil
}
