package eryx

import (
	"fmt"
	"sync"

	"github.com/eryx-build/eryx/internal/calls"
)

// lazySignature reads a callback's schema when it is first needed: a sandbox may
// have hundreds of callbacks of which its script uses two.
type lazySignature struct {
	callback  *Callback
	once      sync.Once
	signature *calls.Signature
	err       error
}

func (l *lazySignature) get() (*calls.Signature, error) {
	l.once.Do(func() {
		l.signature, l.err = calls.ParseSignature(l.callback.Description, l.callback.Parameters)
		if l.err != nil {
			l.err = fmt.Errorf("the callback %s cannot be called: %w", l.callback.Name, l.err)
		}
	})
	return l.signature, l.err
}
