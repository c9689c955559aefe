/* dlopen and its kin for a module into which every library has been linked.
 *
 * There is nothing to load: the linker gave each native module its place, and
 * carried out its relocations. What is left to do at run time is to find the
 * module of a path, to run its constructors when it is opened for the first
 * time, and to find its symbols. The linker writes the table that says where
 * they are; generated.go describes the same structs.
 *
 * It needs no other library, so that it can be linked below all of them. */

#include <stddef.h>
#include <stdint.h>

struct symbol {
    const char *name;
    void *address;
};

struct module {
    const char *path;             /* absolute and clean */
    const struct symbol *symbols; /* sorted by name */
    uint32_t symbol_count;
    struct module *const *needs;  /* those whose symbols it uses */
    uint32_t need_count;
    void (*constructors)(void); /* or null */
    uint32_t opened;            /* the only field that changes */
};

extern struct module __eryx_modules[];
extern const uint32_t __eryx_module_count;

enum { RTLD_NOLOAD = 4 };

#define EXPORT __attribute__((visibility("default")))
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static char message[1024];
static const char *error; /* what dlerror returns next */

/* self is the handle of everything that has been opened. */
static char self;

static void say(const char *before, const char *subject, const char *after) {
    const char *parts[] = {before, subject, after};
    size_t at = 0;
    for (size_t i = 0; i < LENGTH(parts); i++)
        for (const char *c = parts[i]; *c && at + 1 < sizeof message; c++)
            message[at++] = *c;
    message[at] = 0;
    error = message;
}

static int compare(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

/* clean writes an absolute path without empty, "." and ".." components, and
 * without symbolic links being looked at: the file system that modules lie in
 * has none. It reports whether the path is absolute and fits. */
static int clean(const char *path, char *out, size_t size) {
    size_t at = 0;
    if (*path != '/')
        return 0;
    while (*path) {
        while (*path == '/')
            path++;
        size_t length = 0;
        while (path[length] && path[length] != '/')
            length++;
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            while (at > 0 && out[--at] != '/') {
            }
        } else if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (length + 2 > size - at)
                return 0;
            out[at++] = '/';
            for (size_t i = 0; i < length; i++)
                out[at++] = path[i];
        }
        path += length;
    }
    out[at] = 0;
    return 1;
}

static struct module *module_of(void *handle) {
    for (uint32_t i = 0; i < __eryx_module_count; i++)
        if (handle == &__eryx_modules[i])
            return &__eryx_modules[i];
    return NULL;
}

/* open runs constructors, once, after those of what the module needs. In a
 * cycle the one that is needed first comes last. */
static void open(struct module *m) {
    if (m->opened)
        return;
    m->opened = 1;
    for (uint32_t i = 0; i < m->need_count; i++)
        open(m->needs[i]);
    if (m->constructors)
        m->constructors();
}

EXPORT void *dlopen(const char *path, int flags) {
    char name[4096];
    if (!path)
        return &self;
    if (!clean(path, name, sizeof name)) {
        say("", path, ": native modules are opened by their absolute path");
        return NULL;
    }
    for (uint32_t i = 0; i < __eryx_module_count; i++) {
        struct module *m = &__eryx_modules[i];
        if (compare(m->path, name) != 0)
            continue;
        if (flags & RTLD_NOLOAD && !m->opened) {
            say("", path, ": has not been opened yet");
            return NULL;
        }
        open(m);
        return m;
    }
    if (__eryx_module_count == 0)
        say("", path, ": this runtime was linked without native modules");
    else
        say("", path, ": this native module was not linked into the runtime, which cannot load one later");
    return NULL;
}

static const struct symbol *find(const struct module *m, const char *name) {
    uint32_t low = 0, high = m->symbol_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(m->symbols[middle].name, name);
        if (order == 0)
            return &m->symbols[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

EXPORT void *dlsym(void *handle, const char *name) {
    const struct symbol *s = NULL;
    /* RTLD_DEFAULT is null; RTLD_NEXT, which is -1, makes no difference here. */
    if (handle == NULL || handle == (void *)-1 || handle == &self) {
        for (uint32_t i = 0; !s && i < __eryx_module_count; i++)
            if (__eryx_modules[i].opened)
                s = find(&__eryx_modules[i], name);
        if (!s)
            say("no native module that is open has a symbol ", name, "");
    } else {
        struct module *m = module_of(handle);
        if (!m) {
            say("not the handle of a native module, to find ", name, "");
            return NULL;
        }
        s = find(m, name);
        if (!s)
            say(m->path, " has no symbol ", name);
    }
    return s ? s->address : NULL;
}

EXPORT int dlclose(void *handle) {
    if (handle == &self || module_of(handle))
        return 0; /* there is nothing to unload */
    say("not the handle of a native module", "", "");
    return -1;
}

EXPORT char *dlerror(void) {
    char *last = (char *)error;
    error = NULL;
    return last;
}
