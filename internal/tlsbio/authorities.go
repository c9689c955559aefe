package tlsbio

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"sync"
)

// MaxAuthorities is how many bytes of certificates one set may have.
const MaxAuthorities = 1 << 20

// Authorities is a set of certificates that a guest trusts. Nothing of it
// changes; it can be used by several sessions at once.
type Authorities struct {
	digest string
	// anchors are those that are self-signed, others the rest.
	anchors, all, others *x509.CertPool
	// public says that there are so many anchors that they are nobody's choice,
	// but the public ones as a package brings them. Who trusts these wants the
	// default ones, which are the host's to say.
	public bool
}

// publicAnchors is the least number of anchors of a public bundle. They have far
// more, and those that somebody has chosen far less.
const publicAnchors = 50

// Digest names the set.
func (a *Authorities) Digest() string { return a.digest }

// cache holds the sets that were used last, of whichever guest: their digests
// are of everything that they have, and nobody keeps certificates secret.
var cache = struct {
	sync.Mutex
	entries map[string]*list.Element // of *Authorities
	recent  list.List
}{entries: map[string]*list.Element{}}

// cachedSets is how many sets are kept.
const cachedSets = 32

// LookupAuthorities gives the set of a digest, or nil where it has not been used
// for long and has to be given again.
func LookupAuthorities(digest string) *Authorities {
	cache.Lock()
	defer cache.Unlock()
	element := cache.entries[digest]
	if element == nil {
		return nil
	}
	cache.recent.MoveToFront(element)
	return element.Value.(*Authorities)
}

// NewAuthorities gives the set of certificates that follow each other in DER.
// Those that crypto/x509 does not read are left out, as they verify nothing.
func NewAuthorities(der []byte) (*Authorities, error) {
	if len(der) > MaxAuthorities {
		return nil, &Error{Reason: "TOO_LARGE", Text: "the certificates that are trusted are larger than 1 MiB together"}
	}
	sum := sha256.Sum256(der)
	digest := hex.EncodeToString(sum[:])
	if a := LookupAuthorities(digest); a != nil {
		return a, nil
	}
	a := &Authorities{digest: digest, anchors: x509.NewCertPool(), all: x509.NewCertPool(), others: x509.NewCertPool()}
	anchors := 0
	// crypto/x509 keeps what it reads, and der is the guest's memory.
	for _, one := range split(bytes.Clone(der)) {
		c, err := x509.ParseCertificate(one)
		if err != nil {
			continue
		}
		a.all.AddCert(c)
		if selfSigned(c) {
			a.anchors.AddCert(c)
			anchors++
		} else {
			a.others.AddCert(c)
		}
	}
	a.public = anchors >= publicAnchors
	cache.Lock()
	defer cache.Unlock()
	if cache.entries[digest] == nil {
		cache.entries[digest] = cache.recent.PushFront(a)
		if cache.recent.Len() > cachedSets {
			oldest := cache.recent.Remove(cache.recent.Back()).(*Authorities)
			delete(cache.entries, oldest.digest)
		}
	}
	return a, nil
}

// split takes values of DER apart that follow each other, up to what is none.
func split(der []byte) [][]byte {
	var values [][]byte
	for len(der) > 0 {
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(der, &value)
		if err != nil {
			break
		}
		values = append(values, value.FullBytes)
		der = rest
	}
	return values
}
