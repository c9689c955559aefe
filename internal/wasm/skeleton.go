package wasm

// SkeletonSection is the custom section that ties a skeleton to its module.
const SkeletonSection = "eryx.module"

// Skeleton is the module without what native code makes superfluous: types,
// imports, exports, tables, memory, globals and element segments are the
// same, each body is `unreachable`, and data segments are empty and passive.
// An engine can be handed it in place of the module, provided that the
// native code it then runs is the module's: by itself it traps.
//
// digest identifies the module; it becomes the custom section
// [SkeletonSection], so that no two modules have the same skeleton.
// The module itself is not changed. Names and other custom sections are left
// out.
func Skeleton(m *Module, digest string) []byte {
	s := *m
	body := []byte{0, byte(OpUnreachable), byte(OpEnd)}
	s.Code = make([][]byte, len(m.Code))
	for i := range s.Code {
		s.Code[i] = body
	}
	s.Data = make([]Data, len(m.Data))
	for i := range s.Data {
		s.Data[i].Mode = Passive
	}
	s.Customs = []Custom{{Name: SkeletonSection, Data: []byte(digest)}}
	return s.Encode()
}
