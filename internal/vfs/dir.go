package vfs

import "sort"

// indexFrom is the number of entries from which on a directory has an index.
const indexFrom = 16

// memDir is a directory in memory.
type memDir struct {
	attr
	parent directory
	// entries are in the order of their making and carry increasing numbers,
	// which are the positions of directory streams. An entry without a node
	// was removed.
	entries []entry
	live    int
	serial  uint64
	index   map[string]uint64 // name to number; nil while there are few
	// fixed directories are on the way to a mount: they cannot be moved, and
	// their entries are the host's.
	fixed   bool
	removed bool
}

type entry struct {
	serial uint64
	name   string
	node   inode
}

func (d *memDir) info() Info    { return d.describe(Directory, 0) }
func (d *memDir) kind() Kind    { return Directory }
func (d *memDir) up() directory { return d.parent }

func (d *memDir) identity() directory { return d }

// at gives the index of the first entry whose number is serial or more.
func (d *memDir) at(serial uint64) int {
	return sort.Search(len(d.entries), func(i int) bool { return d.entries[i].serial >= serial })
}

// find gives the index of a name, or -1.
func (d *memDir) find(name string) int {
	if d.index != nil {
		if serial, ok := d.index[name]; ok {
			return d.at(serial)
		}
		return -1
	}
	for i := range d.entries {
		if e := &d.entries[i]; e.node != nil && e.name == name {
			return i
		}
	}
	return -1
}

func (d *memDir) lookup(name string) inode {
	if i := d.find(name); i >= 0 {
		return d.entries[i].node
	}
	return nil
}

func (d *memDir) next(position uint64) (string, inode, uint64, bool) {
	for i := d.at(position); i < len(d.entries); i++ {
		if e := &d.entries[i]; e.node != nil {
			return e.name, e.node, e.serial + 1, true
		}
	}
	return "", nil, position, false
}

// set makes name an entry for n, instead of the one there is if there is one.
func (d *memDir) set(name string, n inode) {
	if i := d.find(name); i >= 0 {
		d.entries[i].node = n
		return
	}
	d.entries = append(d.entries, entry{d.serial, name, n})
	d.live++
	if d.index != nil {
		d.index[name] = d.serial
	} else if d.live > indexFrom {
		d.index = make(map[string]uint64, 2*indexFrom)
		for i := range d.entries {
			if e := &d.entries[i]; e.node != nil {
				d.index[e.name] = e.serial
			}
		}
	}
	d.serial++
}

// remove takes name away.
func (d *memDir) remove(name string) {
	i := d.find(name)
	if i < 0 {
		return
	}
	d.entries[i] = entry{serial: d.entries[i].serial}
	d.live--
	delete(d.index, name)
	if len(d.entries) > indexFrom && d.live < len(d.entries)/2 {
		kept := make([]entry, 0, d.live+d.live/2)
		for _, e := range d.entries {
			if e.node != nil {
				kept = append(kept, e)
			}
		}
		d.entries = kept
	}
}
