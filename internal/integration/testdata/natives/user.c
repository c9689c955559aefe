/* An extension module in a package that uses another's symbols: by linking
 * against them, and by looking for them when it runs. */
#include <dlfcn.h>
#include <stdio.h>

#include "python.h"

/* counter's. */
extern int shared_state;
int shared_add(int n);

/* Both have one; each uses its own, even if it asks by symbol. */
EXPORT const char *whoami(void) { return "user"; }

static int state_when_constructed;
__attribute__((constructor)) static void construct(void) { state_when_constructed = shared_state; }

static PyObject *add(PyObject *self, PyObject *argument) {
    long n = PyLong_AsLong(argument);
    if (n == -1 && PyErr_Occurred())
        return 0;
    return PyLong_FromLong(shared_add((int)n));
}

static PyObject *state(PyObject *self, PyObject *unused) { return PyLong_FromLong(shared_state); }
static PyObject *began(PyObject *self, PyObject *unused) { return PyLong_FromLong(state_when_constructed); }
static PyObject *name(PyObject *self, PyObject *unused) { return PyUnicode_FromString(whoami()); }

/* same tells whether both modules have the same address of a function. */
static int (*volatile add_pointer)(int) = shared_add;
static PyObject *same(PyObject *self, PyObject *path) {
    void *handle = dlopen(PyUnicode_AsUTF8AndSize(path, 0), RTLD_NOW);
    return PyLong_FromLong(handle && dlsym(handle, "shared_add") == (void *)add_pointer && dlsym(handle, "shared_state") == &shared_state);
}

/* global calls a function of the name among everything that is open. */
static PyObject *global(PyObject *self, PyObject *argument) {
    int (*found)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, PyUnicode_AsUTF8AndSize(argument, 0));
    void *all = dlopen(0, RTLD_NOW);
    if (!found || dlsym(all, PyUnicode_AsUTF8AndSize(argument, 0)) != (void *)found)
        return PyUnicode_FromString(dlerror());
    return PyLong_FromLong(found(1));
}

/* loaded is what dlopen says of a path that it is not to open. */
static PyObject *loaded(PyObject *self, PyObject *path) {
    const char *none;
    void *handle = dlopen(PyUnicode_AsUTF8AndSize(path, 0), RTLD_NOW | RTLD_NOLOAD);
    if (!handle)
        return PyUnicode_FromString((none = dlerror()) ? none : "no error");
    if (dlerror() || dlclose(handle) != 0)
        return PyUnicode_FromString("cannot be closed");
    if (dlsym(handle, "no_such_symbol"))
        return PyUnicode_FromString("has everything");
    return PyUnicode_FromString(dlerror());
}

static PyObject *misuse(PyObject *self, PyObject *unused) {
    int n = dlclose(&state_when_constructed) == -1 && dlerror() && !dlerror() && !dlsym(&shared_state, "x") && dlerror();
    return PyLong_FromLong(n);
}

static PyMethodDef methods[] = {
    {"add", add, METH_O, 0},       {"state", state, METH_NOARGS, 0},   {"began", began, METH_NOARGS, 0},
    {"name", name, METH_NOARGS, 0}, {"same", same, METH_O, 0},          {"find", global, METH_O, 0},
    {"loaded", loaded, METH_O, 0}, {"misuse", misuse, METH_NOARGS, 0}, {0, 0, 0, 0},
};
static PyModuleDef_Slot slots[] = {{0, 0}};
static PyModuleDef definition = {.base = {1, 0}, .name = "user", .methods = methods, .slots = slots};

EXPORT PyObject *PyInit__user(void) { return PyModuleDef_Init(&definition); }
