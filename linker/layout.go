package linker

import (
	"maps"
	"slices"
)

const (
	pageSize = 65536

	// nullSize is what is left free at address 0. A store through a null
	// pointer goes there rather than into the stack's far end, and the
	// stack begins at a page of its own.
	nullSize = 4096

	stackAlign = 4 // log2, as C expects
	heapAlign  = 4

	// maxTable is the number of elements that engines commonly accept.
	maxTable = 10_000_000
)

// layOut gives out memory and table bases.
func (l *linking) layOut() error {
	lo := &l.layout
	lo.StackLow = nullSize
	lo.StackHigh = uint32(alignUp(uint64(nullSize)+uint64(l.opts.StackSize), stackAlign))
	at := uint64(lo.StackHigh)
	table := uint64(1) // slot 0 is the null pointer
	for _, o := range l.objects {
		at = alignUp(at, o.dylink.MemoryAlign)
		table = alignUp(table, o.dylink.TableAlign)
		o.memoryBase, o.tableBase = uint32(at), uint32(table)
		at += uint64(o.dylink.MemorySize)
		table += uint64(o.dylink.TableSize)
		if err := fit32("memory", at, 1<<32-2*pageSize); err != nil {
			return err
		}
		if err := fit32("function table", table, maxTable); err != nil {
			return err
		}
	}
	lo.DataEnd = uint32(at)
	lo.HeapBase = uint32(alignUp(at, heapAlign))
	lo.MemoryPages = uint32(alignUp(uint64(lo.HeapBase), 16) / pageSize)

	// A function's pointer is its slot in its own library's part of the
	// table; failing that, in another's that lists it; failing that, a new one.
	for _, own := range []bool{true, false} {
		for _, o := range l.objects {
			for _, slot := range slices.Sorted(maps.Keys(o.slots)) {
				f := o.slotFunc(slot)
				if f.addressed && f.slot == 0 && (!own || f.obj == o) {
					f.slot = o.tableBase + slot
				}
			}
		}
	}
	for _, f := range slices.Concat(l.hosts, l.functions) {
		if f.addressed && f.slot == 0 {
			f.slot = uint32(table)
			table++
			l.tail = append(l.tail, f)
		}
	}
	lo.TableSize = uint32(table)
	return fit32("function table", table, maxTable)
}
