package wheels

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRequirement bounds dependency specifiers and markers, in bytes.
const maxRequirement = 64 << 10

// scanner reads a dependency specifier or a marker from left to right. The
// first error stays.
type scanner struct {
	what string
	text string
	pos  int
	err  *ParseError
}

func newScanner(what, text string) *scanner {
	s := &scanner{what: what, text: text}
	if len(text) > maxRequirement {
		s.fail("it is too long")
	} else if !utf8.ValidString(text) {
		s.fail("it is not UTF-8")
	}
	return s
}

func (s *scanner) fail(reason string) {
	if s.err == nil {
		s.err = &ParseError{What: s.what, Input: s.text, Offset: s.pos, Reason: reason}
	}
}

func (s *scanner) rest() string { return s.text[s.pos:] }

func (s *scanner) done() bool { return s.err != nil || s.pos == len(s.text) }

// blanks skips blanks and reports whether there were any.
func (s *scanner) blanks() bool {
	trimmed := strings.TrimLeft(s.rest(), " \t")
	found := len(trimmed) < len(s.rest())
	s.pos = len(s.text) - len(trimmed)
	return found
}

// accept skips a token if it comes next.
func (s *scanner) accept(token string) bool {
	if s.err != nil || !strings.HasPrefix(s.rest(), token) {
		return false
	}
	s.pos += len(token)
	return true
}

// word skips a word if it comes next, not as a part of a longer one.
func (s *scanner) word(word string) bool {
	if s.err != nil || !strings.HasPrefix(s.rest(), word) || !s.boundary(s.pos) || !s.boundary(s.pos+len(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// boundary reports whether a word begins or ends at an offset.
func (s *scanner) boundary(pos int) bool {
	before, _ := utf8.DecodeLastRuneInString(s.text[:pos])
	after, _ := utf8.DecodeRuneInString(s.text[pos:])
	return (pos > 0 && isWordRune(before)) != (pos < len(s.text) && isWordRune(after))
}

func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

// identifier reads the name of a distribution or of an extra, "" if none
// comes next.
func (s *scanner) identifier() string {
	rest := s.rest()
	if s.err != nil || rest == "" || !isAlphanumeric(rest[0]) || !s.boundary(s.pos) {
		return ""
	}
	end := 0
	for end < len(rest) && isNameByte(rest[end]) {
		end++
	}
	for end > 0 && (!isWordRune(rune(rest[end-1])) || !s.boundary(s.pos+end)) {
		end--
	}
	s.pos += end
	return rest[:end]
}
