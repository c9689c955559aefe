package lineedit

import (
	"bytes"
	"unicode/utf8"
)

// key is what a key, or a sequence that a terminal sends for one, asks for.
type key int

const (
	keyNone key = iota // one that means nothing here
	keyText
	keyEnter
	keyTab
	keyInterrupt
	keyEndOfInput
	keyPasteBegin
	keyPasteEnd
	keyLeft
	keyRight
	keyUp
	keyDown
	keyHome
	keyEnd
	keyWordLeft
	keyWordRight
	keyBackspace
	keyDelete
	keyKillEnd
	keyKillStart
	keyKillWord
	keyKillWordRight
	keyYank
	keyClear
)

const escape = 0x1b

// controls are the control characters that mean something.
var controls = map[byte]key{
	'\r': keyEnter, '\n': keyEnter, '\t': keyTab, 0x7f: keyBackspace, 'H' & 0x1f: keyBackspace,
	'A' & 0x1f: keyHome, 'B' & 0x1f: keyLeft, 'C' & 0x1f: keyInterrupt, 'D' & 0x1f: keyEndOfInput,
	'E' & 0x1f: keyEnd, 'F' & 0x1f: keyRight, 'K' & 0x1f: keyKillEnd, 'L' & 0x1f: keyClear,
	'N' & 0x1f: keyDown, 'P' & 0x1f: keyUp, 'U' & 0x1f: keyKillStart, 'W' & 0x1f: keyKillWord,
	'Y' & 0x1f: keyYank,
}

// sequences are what follows "ESC [" or "ESC O".
var sequences = map[string]key{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyHome, "F": keyEnd,
	"1~": keyHome, "7~": keyHome, "4~": keyEnd, "8~": keyEnd, "3~": keyDelete,
	"1;5C": keyWordRight, "1;3C": keyWordRight, "5C": keyWordRight,
	"1;5D": keyWordLeft, "1;3D": keyWordLeft, "5D": keyWordLeft,
	"200~": keyPasteBegin, "201~": keyPasteEnd,
}

// metas are what a key does that is pressed with Alt.
var metas = map[byte]key{'b': keyWordLeft, 'f': keyWordRight, 'd': keyKillWordRight, 0x7f: keyKillWord}

// pasteEnd is what a terminal sends after what was pasted.
const pasteEnd = "\x1b[201~"

// endsPaste reports whether a paste is over where keys go on.
func endsPaste(keys []byte) bool { return bytes.HasPrefix(keys, []byte(pasteEnd)) }

// mayEndPaste reports whether more keys could tell that.
func mayEndPaste(keys []byte) bool {
	return len(keys) < len(pasteEnd) && bytes.HasPrefix([]byte(pasteEnd), keys)
}

// maxSequence is the length of an escape sequence that is waited for.
const maxSequence = 32

// parse takes a key, or a run of text, off the front of what was typed. Its
// size is 0 if its end is missing.
func parse(typed []byte) (k key, size int) {
	if len(typed) == 0 {
		return keyNone, 0
	}
	if first := typed[0]; first == escape {
		return parseEscape(typed)
	} else if first < 0x20 || first == 0x7f {
		return controls[first], 1
	}
	for size < len(typed) && typed[size] >= 0x20 && typed[size] != 0x7f {
		if !utf8.FullRune(typed[size:]) {
			break
		}
		_, n := utf8.DecodeRune(typed[size:])
		size += n
	}
	return keyText, size
}

func parseEscape(typed []byte) (k key, size int) {
	if len(typed) < 2 {
		return keyNone, 0
	}
	if typed[1] != '[' && typed[1] != 'O' {
		return metas[typed[1]], 2
	}
	for i, c := range typed[2:] {
		switch {
		case c >= 0x40 && c <= 0x7e:
			return sequences[string(typed[2:3+i])], 3 + i
		case c < 0x20 || c > 0x7e || i == maxSequence:
			return keyNone, 2 + i // no such sequence; what follows are keys
		}
	}
	return keyNone, 0
}
