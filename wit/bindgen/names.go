package main

import (
	"strings"

	"go.bytecodealliance.org/wit"
)

var initialisms = map[string]string{
	"id": "ID", "io": "IO", "ip": "IP", "ipv4": "IPv4", "ipv6": "IPv6", "json": "JSON",
	"tcp": "TCP", "tls": "TLS", "tty": "TTY", "udp": "UDP", "url": "URL",
}

// exported turns a kebab-case name into an exported Go name.
func exported(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(strings.TrimPrefix(name, "%"), "-") {
		if upper, ok := initialisms[word]; ok {
			b.WriteString(upper)
		} else {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// reserved are parameter names that would shadow what generated code uses.
var reserved = map[string]string{"type": "kind", "len": "length", "err": "failure", "c": "value"}

// local turns a kebab-case name into the name of a parameter.
func local(name string) string {
	if other, ok := reserved[name]; ok {
		return other
	}
	first, rest, more := strings.Cut(name, "-")
	if !more {
		return first
	}
	return first + exported(rest)
}

// prefix is what tells an interface's names from those of others.
func prefix(face *wit.Interface) string {
	if *face.Name == "types" {
		return exported(face.Package.Name.Package)
	}
	return exported(*face.Name)
}

// nameTypes gives each type of the interfaces that is declared in Go a name:
// its own, or one with its interface's where several have the same. Named lists,
// tuples and the like are written out instead.
func nameTypes(faces []*wit.Interface) map[*wit.TypeDef]string {
	count := map[string]int{}
	each := func(f func(face *wit.Interface, def *wit.TypeDef)) {
		for _, face := range faces {
			for _, def := range face.TypeDefs.All() {
				switch def.Kind.(type) {
				case *wit.Record, *wit.Variant, *wit.Enum, *wit.Flags, *wit.Resource:
					f(face, def)
				}
			}
		}
	}
	each(func(_ *wit.Interface, def *wit.TypeDef) { count[*def.Name]++ })
	names := map[*wit.TypeDef]string{}
	each(func(face *wit.Interface, def *wit.TypeDef) {
		names[def] = exported(*def.Name)
		if count[*def.Name] > 1 {
			names[def] = prefix(face) + names[def]
		}
	})
	return names
}

// nameFunctions gives each function a Go method name, likewise.
func nameFunctions(faces []*wit.Interface) map[*wit.Function]string {
	count := map[string]int{}
	for _, face := range faces {
		for _, f := range face.Functions.All() {
			count[methodName(f)]++
		}
	}
	names := map[*wit.Function]string{}
	for _, face := range faces {
		for _, f := range face.Functions.All() {
			names[f] = methodName(f)
			if count[names[f]] > 1 {
				names[f] = prefix(face) + names[f]
			}
		}
	}
	return names
}

func methodName(f *wit.Function) string {
	name := f.Name
	if strings.HasPrefix(name, "[") {
		_, name, _ = strings.Cut(name, "]")
	}
	resource, method, ok := strings.Cut(name, ".")
	if !ok {
		return exported(name)
	}
	return exported(resource) + exported(method)
}
