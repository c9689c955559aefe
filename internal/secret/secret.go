package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Secret is a value that the guest does not see.
type Secret struct {
	Name        string // of the environment variable
	Value       string
	Placeholder string // as [Placeholder] makes it
	// Binds reports whether the secret may be sent to a host, whose name is in
	// lower case and has no dot at its end, or is an address.
	Binds func(host string) bool
	// Cleartext says that it may be sent to a peer that is not verified.
	Cleartext bool
}

// The bounds of what a secret can be, in bytes. Short values occur by chance,
// and masking them would destroy what they occur in.
const (
	MinValue = 8
	MaxValue = 4096
	MaxName  = 128
	// MaxTotal bounds the values of a set together.
	MaxTotal = 64 << 10
)

// Check says what is wrong with a secret's name or value. It does not tell the
// value.
func Check(name, value string) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case value == "":
		return fmt.Errorf("the secret %s has no value", name)
	case len(value) < MinValue:
		return fmt.Errorf("the secret %s is only %d bytes long: values of less than %d bytes occur by chance, and hiding them would destroy the output", name, len(value), MinValue)
	case len(value) > MaxValue:
		return fmt.Errorf("the secret %s is %d bytes long, and %d are the most", name, len(value), MaxValue)
	case !utf8.ValidString(value):
		return fmt.Errorf("the secret %s is not UTF-8", name)
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == 0x7f {
			return fmt.Errorf("the secret %s has the control character %#02x at offset %d, which no header of a request can have", name, c, i)
		}
	}
	if strings.Contains(value, prefix) {
		return fmt.Errorf("the secret %s has %q in its value, which placeholders begin with", name, prefix)
	}
	return nil
}

func checkName(name string) error {
	for i := range len(name) {
		c := name[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'; !letter && (i == 0 || c < '0' || c > '9') {
			return fmt.Errorf("%q cannot be the name of a secret: it is an environment variable, of letters, digits and _", name)
		}
	}
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("the name of a secret has 1 to %d characters, and %q has %d", MaxName, name, len(name))
	}
	return nil
}

// prefix is what all placeholders begin with.
const prefix = "eryx-secret-"

// alphabet is of what no encoding changes: URLs, JSON, headers and shells have
// no other meaning for these characters.
var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// EntropySize is how many bytes of randomness a placeholder is made from.
const EntropySize = 16

// Placeholder makes a placeholder for the secret of a name, which says the name
// and cannot be guessed: "eryx-secret-API_KEY-…".
func Placeholder(name string, entropy [EntropySize]byte) string {
	return prefix + name + "-" + alphabet.EncodeToString(entropy[:])
}

// Derive makes the entropy of a placeholder from a seed.
func Derive(seed []byte, name string) [EntropySize]byte {
	h := sha256.New()
	h.Write([]byte("placeholder\x00" + name + "\x00"))
	h.Write(seed)
	return [EntropySize]byte(h.Sum(nil))
}

// IsPlaceholder reports whether text is a placeholder of the secret of a name.
func IsPlaceholder(text, name string) bool {
	random, ok := strings.CutPrefix(text, prefix+name+"-")
	if !ok || checkName(name) != nil || len(random) != alphabet.EncodedLen(EntropySize) {
		return false
	}
	raw, err := alphabet.DecodeString(random)
	return err == nil && Placeholder(name, [EntropySize]byte(raw)) == text
}

// Set is the secrets of one sandbox. It is safe for concurrent use. A nil Set is
// one without secrets.
type Set struct {
	secrets []Secret
	values  *automaton // values in what comes in
	all     *automaton // values and placeholders in what goes out
	fill    byte
	probes  []*atomic.Int32 // of each value
	// Scanners that are not in use, for texts; what they have learnt stays.
	valueScanners, allScanners sync.Pool
}

// New makes a set.
func New(secrets []Secret) (*Set, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	s := &Set{secrets: append([]Secret(nil), secrets...)}
	values, all := newBuilder(), newBuilder()
	names, total := map[string]bool{}, 0
	for _, each := range s.secrets {
		if err := Check(each.Name, each.Value); err != nil {
			return nil, err
		}
		if names[each.Name] {
			return nil, fmt.Errorf("there are two secrets of the name %s", each.Name)
		}
		names[each.Name] = true
		if !IsPlaceholder(each.Placeholder, each.Name) {
			return nil, fmt.Errorf("the placeholder of the secret %s is none", each.Name)
		}
		if each.Binds == nil {
			return nil, errors.New("a secret is bound to no hosts")
		}
		if total += len(each.Value); total > MaxTotal {
			return nil, fmt.Errorf("the secrets are more than %d bytes together", MaxTotal)
		}
		s.probes = append(s.probes, probesOf(each.Value))
		values.addValue(each.Value)
		all.addValue(each.Value)
		all.addLiteral(each.Placeholder)
	}
	s.values, s.all = values.build(), all.build()
	s.fill = s.chooseFill()
	s.valueScanners.New = func() any { return newScanner(s.values, s.fill) }
	s.allScanners.New = func() any { return newScanner(s.all, s.fill) }
	return s, nil
}

// chooseFill is what masks are made of: something that is in no value, so that
// a mask never makes a value with what is beside it.
func (s *Set) chooseFill() byte {
	for _, fill := range []byte("*#.:~^|!$,;?@()") {
		free := true
		for _, each := range s.secrets {
			free = free && strings.IndexByte(each.Value, fill) < 0
		}
		if free {
			return fill
		}
	}
	return '*'
}

// Empty reports whether there are no secrets.
func (s *Set) Empty() bool { return s == nil }

// Len is the number of secrets.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.secrets)
}

// Environment gives the variables that the guest has instead of the values.
func (s *Set) Environment() [][2]string {
	if s == nil {
		return nil
	}
	var variables [][2]string
	for _, each := range s.secrets {
		variables = append(variables, [2]string{each.Name, each.Placeholder})
	}
	return variables
}

// Peer is what is known of the other end of a connection.
type Peer struct {
	// Names are, over TLS, the one name that the host verified the peer's
	// certificate for, whatever the guest verifies; without TLS, those that the
	// peer's address was resolved for, or the address itself.
	Names []string
	// Port is the peer's; 0 where it is not known. A request for another is not
	// for the peer.
	Port uint16
	// Verified says that there is TLS, and that the host verified the name.
	Verified bool
}

// normal is a name as it is compared: in lower case, without the dot at the
// end. Addresses are compared as they are written, so that one which is not
// written as usual is another.
func normal(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// Connection makes the filter of a new connection. For a set without secrets
// it is nil, which passes everything.
func (s *Set) Connection(to Peer) *Filter {
	if s == nil {
		return nil
	}
	f := &Filter{set: s, port: to.Port}
	for _, name := range to.Names {
		f.names = append(f.names, normal(name))
	}
	for i := range s.secrets {
		each := &s.secrets[i]
		if !to.Verified && !each.Cleartext {
			continue
		}
		for _, name := range f.names {
			if each.Binds(name) {
				f.secrets = append(f.secrets, each)
				break
			}
		}
	}
	f.requests.filter = f
	f.responses.filter = f
	f.responses.text.scanner = newScanner(s.values, s.fill)
	return f
}

// Text masks values and placeholders in what leaves the sandbox. It gives text
// itself where there are none.
func (s *Set) Text(text string) string {
	if s == nil || len(text) < MinValue {
		return text
	}
	return string(s.scrub(&s.allScanners, []byte(text)))
}

// Bytes is [Set.Text] for bytes, which it does not change.
func (s *Set) Bytes(data []byte) []byte {
	if s == nil || len(data) < MinValue {
		return data
	}
	return s.scrub(&s.allScanners, data)
}

// Values is [Set.Bytes] for values only: placeholders stay.
func (s *Set) Values(data []byte) []byte {
	if s == nil || len(data) < MinValue {
		return data
	}
	return s.scrub(&s.valueScanners, data)
}

// JSON is [Set.Bytes] for JSON, which it stays.
func (s *Set) JSON(data []byte) []byte { return keepJSON(data, s.Bytes) }

// ValuesJSON is [Set.Values] for JSON, which it stays.
func (s *Set) ValuesJSON(data []byte) []byte { return keepJSON(data, s.Values) }

// keepJSON masks JSON. Where that would be JSON no more, for instance because a
// number was masked, or what follows a backslash, it is taken apart.
func keepJSON(data []byte, mask func([]byte) []byte) []byte {
	masked := mask(data)
	if bytes.Equal(masked, data) || json.Valid(masked) {
		return masked
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var content any
	if decoder.Decode(&content) != nil {
		return masked
	}
	rebuilt, err := json.Marshal(maskJSON(content, mask))
	if err != nil {
		return masked
	}
	// What may still be there is a value that goes beyond a string's end.
	if again := mask([]byte(longEscapes.Replace(string(rebuilt)))); json.Valid(again) {
		return again
	}
	return []byte("null")
}

// longEscapes are escapes of which no letter is taken for the value's.
var longEscapes = strings.NewReplacer(
	`\\`, `\u005c`, `\"`, `\u0022`, `\b`, `\u0008`, `\f`, `\u000c`, `\n`, `\u000a`, `\r`, `\u000d`, `\t`, `\u0009`,
)

func maskJSON(content any, mask func([]byte) []byte) any {
	text := func(s string) string { return string(mask([]byte(s))) }
	switch content := content.(type) {
	case string:
		return text(content)
	case json.Number:
		if masked := text(content.String()); masked != content.String() {
			return masked
		}
	case []any:
		for i := range content {
			content[i] = maskJSON(content[i], mask)
		}
	case map[string]any:
		object := make(map[string]any, len(content))
		for name, value := range content {
			object[text(name)] = maskJSON(value, mask)
		}
		return object
	}
	return content
}

func (s *Set) scrub(from *sync.Pool, data []byte) []byte {
	scanner := from.Get().(*scanner)
	defer from.Put(scanner)
	return scanner.mask(data)
}

// Reach is how many bytes long the longest is that is masked as one. Whoever
// masks in the middle of something has to look at so much on either side.
func (s *Set) Reach() int {
	if s == nil {
		return 0
	}
	return s.all.longest
}
