package secret

import (
	"unicode/utf16"
	"unicode/utf8"
)

// automaton finds values in the forms that they are likely to have in text. Its
// states are positions within one form; what leads from a position to the next
// are sets of bytes. It is the nondeterministic form, of which a [scanner] makes
// as much deterministic as a text needs.
type automaton struct {
	first   []int32 // by position: its first edge; -1 for none
	edges   []edge
	class   [256]uint8 // bytes that no set tells apart are of one class
	classes int
	members [][]bool // for each set, whether it has a class
	longest int      // most bytes from start to end
}

type edge struct {
	to   int32
	next int32 // of the same position; -1 for none
	set  uint16
}

// The first states of every automaton.
const (
	stateStart = 0
	stateEnd   = 1
)

type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func setOf(text string) (s byteSet) {
	for i := range len(text) {
		s.add(text[i])
	}
	return s
}

// builder makes an automaton.
type builder struct {
	first   []int32
	edges   []edge
	sets    []byteSet
	indexes map[byteSet]uint16
	longest int
	// The sets that there are most of: one byte, and a hexadecimal digit.
	bytes  [256]uint16
	digits [16]uint16
}

func newBuilder() *builder {
	b := &builder{first: []int32{-1, -1}, indexes: map[byteSet]uint16{}}
	for c := range 256 {
		var set byteSet
		set.add(byte(c))
		b.bytes[c] = b.set(set)
	}
	for d := range 16 {
		b.digits[d] = b.set(setOf("0123456789abcdef"[d:d+1] + "0123456789ABCDEF"[d:d+1]))
	}
	return b
}

// set gives a set its number.
func (b *builder) set(set byteSet) uint16 {
	index, ok := b.indexes[set]
	if !ok {
		index = uint16(len(b.sets))
		b.indexes[set] = index
		b.sets = append(b.sets, set)
	}
	return index
}

func (b *builder) state() int32 {
	b.first = append(b.first, -1)
	return int32(len(b.first) - 1)
}

func (b *builder) edge(from int32, set uint16, to int32) {
	for i := b.first[from]; i >= 0; i = b.edges[i].next {
		if b.edges[i].set == set && b.edges[i].to == to {
			return
		}
	}
	b.edges = append(b.edges, edge{to, b.first[from], set})
	b.first[from] = int32(len(b.edges) - 1)
}

// path leads from one state to another by a sequence of sets.
func (b *builder) path(from, to int32, sets ...uint16) {
	for _, set := range sets[:len(sets)-1] {
		next := b.state()
		b.edge(from, set, next)
		from = next
	}
	b.edge(from, sets[len(sets)-1], to)
}

// text is path by a text.
func (b *builder) text(from, to int32, text string) {
	last := len(text) - 1
	for i := range last {
		next := b.state()
		b.edge(from, b.bytes[text[i]], next)
		from = next
	}
	b.edge(from, b.bytes[text[last]], to)
}

// addLiteral has a text found as it is.
func (b *builder) addLiteral(text string) {
	b.text(stateStart, stateEnd, text)
	b.longest = max(b.longest, len(text))
}

// addValue has a value found: as it is, with any of its characters escaped as
// JSON, URLs, HTML or Python's literals escape them, in hexadecimal, and in
// base64 at each of the three alignments that it can have in a longer text.
func (b *builder) addValue(value string) {
	b.addEscaped(value)
	b.addHex(value)
	for alignment := range 3 {
		b.addBase64(value, alignment)
	}
}

// htmlNames are what HTML writes for characters that mean something in it.
var htmlNames = map[rune][]string{
	'&': {"&amp;"}, '<': {"&lt;"}, '>': {"&gt;"}, '"': {"&quot;", "&#34;"}, '\'': {"&apos;", "&#39;", "&#x27;"},
}

func (b *builder) addEscaped(value string) {
	at, longest := int32(stateStart), 0
	for i, r := range value {
		size := utf8.RuneLen(r)
		next := int32(stateEnd)
		if i+size < len(value) {
			next = b.state()
		}
		b.encoded(at, next, value[i:i+size])
		first, second := r, rune(-1)
		if r > 0xffff {
			first, second = utf16.EncodeRune(r)
		}
		escape := b.appendHex([]uint16{b.bytes['\\'], b.bytes['u']}, uint16(first), 4)
		if second >= 0 {
			escape = b.appendHex(append(escape, b.bytes['\\'], b.bytes['u']), uint16(second), 4)
		}
		b.path(at, next, escape...)
		switch r {
		case '"', '\\', '/', '\'':
			b.text(at, next, `\`+string(r))
		case ' ':
			b.text(at, next, "+")
		}
		for _, name := range htmlNames[r] {
			b.text(at, next, name)
		}
		at = next
		longest += max(len(escape), 4*size)
	}
	b.longest = max(b.longest, longest)
}

// encoded leads from one state to another by bytes, each as it is, as %HH or as
// \xHH.
func (b *builder) encoded(from, to int32, text string) {
	for i := range len(text) {
		next := to
		if i+1 < len(text) {
			next = b.state()
		}
		high, low := b.digits[text[i]>>4], b.digits[text[i]&15]
		b.edge(from, b.bytes[text[i]], next)
		b.path(from, next, b.bytes['%'], high, low)
		b.path(from, next, b.bytes['\\'], b.bytes['x'], high, low)
		from = next
	}
}

// appendHex appends the last digits of a number, in either case.
func (b *builder) appendHex(sets []uint16, n uint16, digits int) []uint16 {
	for i := digits - 1; i >= 0; i-- {
		sets = append(sets, b.digits[n>>(4*i)&15])
	}
	return sets
}

func (b *builder) addHex(value string) {
	var sets []uint16
	for i := range len(value) {
		sets = b.appendHex(sets, uint16(value[i]), 2)
	}
	b.path(stateStart, stateEnd, sets...)
	b.longest = max(b.longest, len(sets))
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// addBase64 has a value found in the base64 of a text in which alignment bytes,
// and any number of three, are before it. Digits at the ends that have bits of
// other bytes too are any that have the value's bits.
func (b *builder) addBase64(value string, alignment int) {
	firstBit, lastBit := 8*alignment, 8*(alignment+len(value))
	at, longest := int32(stateStart), 0
	var broken int32 // at, after a line break
	for digit := firstBit / 6; digit*6 < lastBit; digit++ {
		var set byteSet
		for d := range byte(64) {
			if digitFits(value, d, 6*digit-firstBit) {
				set.add(base64Digits[d])
				switch d {
				case 62:
					set.add('-')
				case 63:
					set.add('_')
				}
			}
		}
		next := int32(stateEnd)
		last := (digit+1)*6 >= lastBit
		if !last {
			next = b.state()
		}
		for _, from := range []int32{at, broken} {
			if from == 0 && at != stateStart {
				continue
			}
			b.edge(from, b.set(set), next)
			if set.has('+') {
				b.path(from, next, b.bytes['%'], b.bytes['2'], b.digits[0xb])
			}
			if set.has('/') {
				b.path(from, next, b.bytes['%'], b.bytes['2'], b.digits[0xf])
				b.text(from, next, `\/`)
			}
		}
		longest += 5
		if at, broken = next, 0; !last {
			broken = b.state()
			b.edge(at, b.bytes['\n'], broken)
			b.text(at, broken, "\r\n")
		}
	}
	b.longest = max(b.longest, longest)
}

// digitFits reports whether a digit's bits are a value's from bit on; bits
// outside of the value are any.
func digitFits(value string, digit byte, bit int) bool {
	for i := range 6 {
		at := bit + i
		if at < 0 || at >= 8*len(value) {
			continue
		}
		if digit>>(5-i)&1 != value[at/8]>>(7-at%8)&1 {
			return false
		}
	}
	return true
}

// build ends the making of an automaton.
func (b *builder) build() *automaton {
	a := &automaton{first: b.first, edges: b.edges, longest: b.longest}
	used := make([]bool, len(b.sets))
	for _, e := range b.edges {
		used[e.set] = true
	}
	// Classes are split by one set after the other.
	var class [256]int
	classes := 1
	for i := range b.sets {
		if !used[i] {
			continue
		}
		inside := map[int]int{} // the class that a class's members of the set get
		var left [256]int       // how many of a class are not in the set
		for c := range 256 {
			if !b.sets[i].has(byte(c)) {
				left[class[c]]++
			}
		}
		for c := range 256 {
			if was := class[c]; b.sets[i].has(byte(c)) && left[was] > 0 {
				if _, ok := inside[was]; !ok {
					inside[was] = classes
					classes++
				}
				class[c] = inside[was]
			}
		}
	}
	a.classes = classes
	of := make([]byte, classes) // a byte of each class
	for c := range 256 {
		a.class[c], of[class[c]] = uint8(class[c]), byte(c)
	}
	a.members = make([][]bool, len(b.sets))
	for i := range b.sets {
		if used[i] {
			a.members[i] = make([]bool, classes)
			for n, c := range of {
				a.members[i][n] = b.sets[i].has(c)
			}
		}
	}
	return a
}
