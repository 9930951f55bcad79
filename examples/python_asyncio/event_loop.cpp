#include "event_loop.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <chimera/sdk/error.hpp>

namespace chimera::python_asyncio {

namespace {

/// Takes a new reference, or throws what Python says.
ref checked(PyObject* made) {
    if (!made) throw sdk::error(CHM_E_FAIL, "asyncio: " + take_error());
    return ref(made);
}

} // namespace

event_loop::event_loop(const chm_host* host) : host_(host) {
    const gil held;
    const ref asyncio = checked(PyImport_ImportModule("asyncio"));
    loop_ = checked(PyObject_CallMethod(asyncio.get(), "new_event_loop", nullptr));
    try {
        context_ = checked(PyContext_New());
        call_soon_ = checked(PyUnicode_InternFromString("call_soon"));
        call_at_ = checked(PyUnicode_InternFromString("call_at"));
        cancel_ = checked(PyUnicode_InternFromString("cancel"));
        stop_ = checked(PyUnicode_InternFromString("stop"));
        add_reader_ = checked(PyUnicode_InternFromString("add_reader"));
        add_writer_ = checked(PyUnicode_InternFromString("add_writer"));
        remove_reader_ = checked(PyUnicode_InternFromString("remove_reader"));
        remove_writer_ = checked(PyUnicode_InternFromString("remove_writer"));
        with_context_ = checked(Py_BuildValue("(s)", "context"));
        const ref self = checked(PyCapsule_New(this, nullptr, nullptr));
        const ref handler = checked(PyCFunction_New(&exception_handler, self.get()));
        checked(PyObject_CallMethod(loop_.get(), "set_exception_handler", "O", handler.get()));
    } catch (...) {
        ref(PyObject_CallMethod(loop_.get(), "close", nullptr));
        PyErr_Clear();
        throw;
    }
}

event_loop::~event_loop() {
    const gil held;
    if (!ref(PyObject_CallMethod(loop_.get(), "close", nullptr))) log_error(host_, "asyncio: close failed");
    // Every reference goes while the GIL is held.
    for (ref* r : {&loop_, &context_, &call_soon_, &call_at_, &cancel_, &stop_, &add_reader_, &add_writer_,
                   &remove_reader_, &remove_writer_, &with_context_})
        *r = ref();
}

void event_loop::run_forever() { checked(PyObject_CallMethod(loop_.get(), "run_forever", nullptr)); }

void event_loop::stop() noexcept { call(stop_, "asyncio: stop failed"); }

bool event_loop::call_soon(const ref& what) noexcept {
    // As a task of asyncio does for its next step: in a context that is there, or each call would make one.
    PyObject* const args[] = {loop_.get(), what.get(), context_.get()};
    if (ref(PyObject_VectorcallMethod(call_soon_.get(), args, 2, with_context_.get()))) return true;
    log_error(host_, "asyncio: call_soon failed");
    return false;
}

ref event_loop::call_at(std::uint64_t deadline_ns, const ref& what) noexcept {
    // asyncio counts in seconds, and calls a nanosecond early; what comes early here is armed again, and waits for
    // another whole millisecond of epoll's.
    const double seconds = (static_cast<double>(deadline_ns) + 2) * 1e-9;
    const ref when(PyFloat_FromDouble(std::nextafter(seconds, std::numeric_limits<double>::max())));
    PyObject* const args[] = {loop_.get(), when.get(), what.get(), context_.get()};
    ref handle(when ? PyObject_VectorcallMethod(call_at_.get(), args, 3, with_context_.get()) : nullptr);
    if (!handle) log_error(host_, "asyncio: call_at failed");
    return handle;
}

void event_loop::cancel(const ref& handle) noexcept {
    PyObject* const args[] = {handle.get()};
    if (!ref(PyObject_VectorcallMethod(cancel_.get(), args, 1, nullptr))) log_error(host_, "asyncio: cancel failed");
}

bool event_loop::watch(const ref& method, int fd, const ref& what) noexcept {
    const ref number(PyLong_FromLong(fd));
    return static_cast<bool>(call(method, "asyncio: a descriptor cannot be watched", number.get(), what.get()));
}

void event_loop::unwatch(const ref& method, int fd) noexcept {
    const ref number(PyLong_FromLong(fd));
    call(method, "asyncio: a descriptor is still watched", number.get());
}

ref event_loop::call(const ref& method, const char* what_fails, PyObject* a, PyObject* b) noexcept {
    PyObject* const args[] = {loop_.get(), a, b};
    const std::size_t n = a ? b ? 3 : 2 : 1;
    ref answer(PyErr_Occurred() ? nullptr : PyObject_VectorcallMethod(method.get(), args, n, nullptr));
    if (!answer) log_error(host_, what_fails);
    return answer;
}

PyMethodDef event_loop::exception_handler{
    "on_exception", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&event_loop::on_exception)),
    METH_FASTCALL, nullptr};

/// handler(loop, {"message": ..., "exception": ...}), as asyncio calls it.
PyObject* event_loop::on_exception(PyObject* self, PyObject* const* args, Py_ssize_t n) noexcept {
    const auto* const loop = static_cast<event_loop*>(PyCapsule_GetPointer(self, nullptr));
    if (n == 2 && PyDict_Check(args[1])) {
        PyObject* const message = PyDict_GetItemString(args[1], "message");
        PyObject* const exception = PyDict_GetItemString(args[1], "exception");
        const char* const text = message ? PyUnicode_AsUTF8(message) : nullptr;
        PyErr_Clear();
        log_exception(loop->host_, text ? text : "asyncio: unhandled exception", exception ? exception : Py_None);
    }
    return Py_NewRef(Py_None);
}

} // namespace chimera::python_asyncio
