// CPython inside this process: its start, its lock, its objects and its errors.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>
#include <utility>

#include <chimera/abi/plugin.h>

namespace chimera::python_asyncio {

/// [any-thread, without the GIL] Starts CPython where it does not run yet; it then runs until the process ends. The
/// caller's thread becomes what Python calls the main thread, and does not keep the GIL. Throws sdk::error.
void start_interpreter();

/// Holds the GIL. Any thread that has started the interpreter or knows it started; nests.
class gil {
  public:
    gil() noexcept : state_(PyGILState_Ensure()) {}
    gil(const gil&) = delete;
    gil& operator=(const gil&) = delete;
    ~gil() { PyGILState_Release(state_); }

  private:
    PyGILState_STATE state_;
};

/// An owned reference, or nothing. Made and destroyed under the GIL.
class ref {
  public:
    ref() noexcept = default;
    /// Takes over a new reference; NULL is nothing.
    explicit ref(PyObject* owned) noexcept : object_(owned) {}
    ref(ref&& o) noexcept : object_(std::exchange(o.object_, nullptr)) {}
    ref& operator=(ref o) noexcept {
        std::swap(object_, o.object_);
        return *this;
    }
    ~ref() { Py_XDECREF(object_); }

    PyObject* get() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }

  private:
    PyObject* object_ = nullptr;
};

/// [GIL; an exception is set] Takes it. Its type and text, such as "OSError: [Errno 24] Too many open files".
std::string take_error();
/// [GIL; an exception is set] Takes it, and logs it with its traceback after `what`, a line each.
void log_error(const chm_host*, const char* what) noexcept;
/// [GIL] The same for an exception object, or None.
void log_exception(const chm_host*, const char* what, PyObject* exception) noexcept;

/// [GIL] A new Python callable that calls (object.*Method)(), where an exception must not be set at the end. The object
/// outlives every call. Nothing, and an exception: out of memory.
template <auto Method, class T>
ref callable(T& object) noexcept {
    static PyMethodDef definition{"chimera",
                                  [](PyObject* self, PyObject*) noexcept -> PyObject* {
                                      (static_cast<T*>(PyCapsule_GetPointer(self, nullptr))->*Method)();
                                      return Py_NewRef(Py_None);
                                  },
                                  METH_NOARGS, nullptr};
    const ref self(PyCapsule_New(&object, nullptr, nullptr));
    return ref(self ? PyCFunction_New(&definition, self.get()) : nullptr);
}

} // namespace chimera::python_asyncio
