package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"runtime"
	"sync"
)

// Verify reads all of the bundle and checks every byte of it: members against
// their digests and checksums, and the content of compressed members against
// theirs. A mismatch is a [*FormatError] that names the member.
func (b *Bundle) Verify(ctx context.Context) error {
	if err := b.alive(); err != nil {
		return err
	}
	entries, err := directory(b.data)
	if err == nil {
		err = checkStructure(b.data, entries)
	}
	if err != nil {
		return b.bad(err)
	}
	return b.verify(ctx, true)
}

// verify checks the members, as many at a time as there are processors; with
// deep, also what compressed ones expand to.
func (b *Bundle) verify(ctx context.Context, deep bool) error {
	var (
		wg    sync.WaitGroup
		errs  = make([]error, len(b.manifest.Members))
		limit = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	for i, m := range b.manifest.Members {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			errs[i] = b.verifyMember(ctx, m.Name, deep)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) verifyMember(ctx context.Context, name string, deep bool) error {
	m := b.members[name]
	h := sha256.New()
	var crc uint32
	const chunk = 1 << 20
	for at := 0; at < len(m.data); at += chunk {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := m.data[at:min(at+chunk, len(m.data))]
		h.Write(part)
		if deep {
			crc = crc32.Update(crc, crc32.IEEETable, part)
		}
	}
	if hex.EncodeToString(h.Sum(nil)) != m.SHA256 {
		return &FormatError{Path: b.path, Reason: name + " is damaged: its SHA-256 is not what the manifest says"}
	}
	if !deep {
		return nil
	}
	if crc != m.crc {
		return &FormatError{Path: b.path, Reason: name + " is damaged: its checksum is not what the directory says"}
	}
	if m.Content != nil {
		if _, err := b.Expand(name); err != nil {
			return err
		}
	}
	return nil
}
