// Package stdlib turns Python's standard library, as the base has it, into the
// image that a bundle carries.
//
// It is done in two steps, because the byte-compiler that fits is the guest's
// own: [NewPlan] reads the archive and says which sources are to be compiled
// and what is left out and why; [Plan.Image] makes the image of the compiled
// modules.
//
// Two profiles exist. [Trimmed] leaves out what cannot work in a sandbox
// (extension modules that this Python does not have, processes, terminals,
// other operating systems) and what serves development only, and keeps of the
// rest the compiled modules without their sources. Everything else stays:
// whatever can be imported from [Full] and does something can be imported from
// Trimmed. [Full] is the library as it comes, sources included, beside the
// compiled modules in __pycache__; of it, only ctypes is left out, which cannot
// be imported without libffi and for which a support module stands in.
//
// Modules are compiled as unchecked hash-based .pyc files (PEP 552), so that
// their bytes depend on nothing but the source, and are used without a look
// at the source's timestamp.
package stdlib
