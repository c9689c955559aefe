package eryx

import "bytes"

// MemoryOf copies all of the memory of a lease's interpreter.
func MemoryOf(l *Lease) []byte {
	memory := l.session.guest.Memory()
	all, _ := memory.View(0, uint32(memory.Size()))
	return bytes.Clone(all)
}
