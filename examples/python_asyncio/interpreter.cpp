#include "interpreter.hpp"

#include <dlfcn.h>
#include <signal.h>

#include <algorithm>
#include <mutex>
#include <string_view>

#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

namespace chimera::python_asyncio {

namespace {

/// The host loads plugins with RTLD_LOCAL, and with them what they are linked with. Debian's extension modules are not
/// linked with libpython, but look for it among the symbols that everybody sees: without this, `import asyncio` fails
/// with "undefined symbol: PyContextVar_Type".
void show_libpython_to_extensions() {
    Dl_info libpython{};
    if (::dladdr(reinterpret_cast<const void*>(&Py_InitializeFromConfig), &libpython) == 0 ||
        ::dlopen(libpython.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) == nullptr)
        throw sdk::error(CHM_E_FAIL, std::string("cannot make libpython's symbols global: ") + ::dlerror());
}

void check(const PyStatus& status) {
    if (!PyStatus_Exception(status)) return;
    throw sdk::error(CHM_E_FAIL, std::string("cannot start CPython: ") +
                                     (status.err_msg ? status.err_msg : "it wants to end the process"));
}

/// `import signal`, which asyncio does, takes SIGINT if it has no handler yet, whatever install_signal_handlers says.
void import_without_sigint() {
    struct sigaction of_the_host {};
    ::sigaction(SIGINT, nullptr, &of_the_host);
    const ref module(PyImport_ImportModule("signal"));
    ::sigaction(SIGINT, &of_the_host, nullptr);
    if (!module) throw sdk::error(CHM_E_FAIL, "cannot start CPython: " + take_error());
}

/// Nothing of the user's: no environment, no user site, no signal handlers (Ctrl-C is the host's), no locale. And
/// PYTHON_HOME instead of a search along PATH, where another Python may come first, whose library is not this one's.
void start() {
    show_libpython_to_extensions();
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    check(Py_PreInitialize(&before));
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.install_signal_handlers = 0;
    config.site_import = 0;
    PyStatus status = PyConfig_SetBytesString(&config, &config.home, PYTHON_HOME);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    check(status);
    try {
        import_without_sigint();
    } catch (...) {
        PyEval_SaveThread();
        throw;
    }
    PyEval_SaveThread(); // the GIL is free from here on
}

#if PY_VERSION_HEX >= 0x030C0000
ref take_exception() noexcept { return ref(PyErr_GetRaisedException()); }
#else
ref take_exception() noexcept {
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return ref(value);
}
#endif

/// Borrowed from the object; empty if it is not a text, or out of memory.
std::string_view text_of(const ref& object) noexcept {
    Py_ssize_t size = 0;
    const char* text = object ? PyUnicode_AsUTF8AndSize(object.get(), &size) : nullptr;
    if (!text) PyErr_Clear();
    return text ? std::string_view(text, static_cast<std::size_t>(size)) : std::string_view{};
}

} // namespace

void start_interpreter() {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    if (!Py_IsInitialized()) start();
}

std::string take_error() {
    const ref exception = take_exception();
    if (!exception) return "unknown error";
    const ref text(PyObject_Str(exception.get()));
    return std::string(Py_TYPE(exception.get())->tp_name).append(": ").append(text_of(text));
}

void log_error(const chm_host* host, const char* what) noexcept {
    const ref exception = take_exception();
    log_exception(host, what, exception ? exception.get() : Py_None);
}

void log_exception(const chm_host* host, const char* what, PyObject* exception) noexcept {
    if (!host) return;
    const auto log = [host](std::string_view line) {
        if (!line.empty()) host->log(host, CHM_LOG_ERROR, sdk::str(line));
    };
    log(what);
    if (exception == Py_None) return;
    const ref traceback(PyImport_ImportModule("traceback"));
    const ref parts(traceback ? PyObject_CallMethod(traceback.get(), "format_exception", "O", exception) : nullptr);
    const ref empty(PyUnicode_FromString(""));
    const ref joined(parts && empty ? PyUnicode_Join(empty.get(), parts.get()) : nullptr);
    if (!joined) {
        PyErr_Clear();
        return log(Py_TYPE(exception)->tp_name);
    }
    for (std::string_view rest = text_of(joined); !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        log(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

} // namespace chimera::python_asyncio
