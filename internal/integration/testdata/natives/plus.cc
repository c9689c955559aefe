// An extension module in C++: static constructors, containers, virtual
// functions, thread-safe statics. It needs the C++ library.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "python.h"

namespace {

struct Shape {
    virtual ~Shape() = default;
    virtual std::string name() const = 0;
};
struct Square : Shape {
    std::string name() const override { return "square"; }
};
struct Circle : Shape {
    std::string name() const override { return "circle, which has no corners at all"; }
};

// Constructed when the module is opened, in this order.
std::vector<std::string> log = {"log"};
struct Registration {
    explicit Registration(const char *what) { log.push_back(what); }
} first("first"), second("second");
std::map<std::string, std::function<std::unique_ptr<Shape>()>> shapes = {
    {"square", [] { return std::make_unique<Square>(); }},
    {"circle", [] { return std::make_unique<Circle>(); }},
};

std::string &lazy() {
    static std::string text = std::to_string(log.size()) + " entries";
    return text;
}

PyObject *describe(PyObject *, PyObject *argument) {
    auto found = shapes.find(PyUnicode_AsUTF8AndSize(argument, nullptr));
    return PyUnicode_FromString(found == shapes.end() ? "none" : found->second()->name().c_str());
}

PyObject *history(PyObject *, PyObject *) {
    std::string all;
    for (const auto &entry : log)
        all += entry + " ";
    all += lazy();
    return PyUnicode_FromString(all.c_str());
}

PyObject *sorted(PyObject *, PyObject *argument) {
    std::string text = PyUnicode_AsUTF8AndSize(argument, nullptr);
    std::sort(text.begin(), text.end(), std::greater<>());
    return PyUnicode_FromString(text.c_str());
}

PyMethodDef methods[] = {
    {"describe", describe, METH_O, nullptr},
    {"history", history, METH_NOARGS, nullptr},
    {"sorted", sorted, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyModuleDef_Slot slots[] = {{0, nullptr}};
PyModuleDef definition = {{1, nullptr}, nullptr, 0, nullptr, "plus", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

} // namespace

extern "C" EXPORT PyObject *PyInit_plus() { return PyModuleDef_Init(&definition); }
