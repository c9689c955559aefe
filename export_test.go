package eryx

import "bytes"

// MemoryOf copies all of the memory of a lease's interpreter.
func MemoryOf(l *Lease) []byte { return memoryOf(l.session.guest) }

// MemoryOfSandbox does so for a sandbox that has not executed yet.
func MemoryOfSandbox(s *Sandbox) []byte { return memoryOf(s.guest) }

func memoryOf(i *instance) []byte {
	memory := i.Memory()
	all, _ := memory.View(0, uint32(memory.Size()))
	return bytes.Clone(all)
}
