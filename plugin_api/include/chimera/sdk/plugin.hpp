/// @file
/// From C++ classes to the contract's tables: executors, transports, sessions, exchanges and the exported entry.
///
/// A class derives from executor_base<Self> (or transport_base, session_base, exchange_base) and has the member
/// functions that the thunks below call. Members that may throw are called through guarded(), so that nothing unwinds
/// across the boundary.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "../abi.h"
#include "error.hpp"
#include "options.hpp"
#include "text.hpp"

/// The C++ SDK: header-only, on top of the contract. A plugin need not use it.
namespace chimera::sdk {

/// Self needs:
///   chm_rc spawn(chm_task*, const chm_spawn_opts*)  may throw before it took the task
///   chm_rc run(std::uint32_t mode)                  may throw before it polled anything
///   void stop() noexcept
///   const void* extension(std::string_view id) noexcept
template <class Self, std::uint32_t Flags = 0>
class executor_base : public chm_executor {
  protected:
    executor_base() noexcept : chm_executor{&vtable} {}
    ~executor_base() = default;

  private:
    static Self& self(chm_executor* e) noexcept { return *static_cast<Self*>(e); }
    static chm_rc spawn_thunk(chm_executor* e, chm_task* task, const chm_spawn_opts* opts) noexcept {
        if (task == nullptr) return CHM_E_INVAL;
        return guarded(nullptr, [&] { return self(e).spawn(task, opts); });
    }
    static chm_rc run_thunk(chm_executor* e, std::uint32_t mode, chm_error* err) noexcept {
        if (mode != CHM_RUN_UNTIL_IDLE && mode != CHM_RUN_UNTIL_STOP) return fail(err, CHM_E_INVAL, "unknown run mode");
        return guarded(err, [&] { return self(e).run(mode); });
    }
    static void stop_thunk(chm_executor* e) noexcept { self(e).stop(); }
    static void destroy_thunk(chm_executor* e) noexcept { delete &self(e); }
    static const void* extension_thunk(chm_executor* e, const char* id) noexcept {
        return id ? self(e).extension(id) : nullptr;
    }
    static constexpr chm_executor_vt vtable{sizeof(chm_executor_vt), Flags,          spawn_thunk, run_thunk, stop_thunk,
                                            destroy_thunk,           extension_thunk};
};

/// Answer of an executor class to CHM_EXT_SERVICE (abi/service.h):
///   if (id == CHM_EXT_SERVICE) return &sdk::service_extension<Self>;
/// Self derives from executor_base<Self> and needs:
///   std::uint32_t workers() const noexcept
///   chm_rc worker_here() const noexcept                     the caller's number, or CHM_E_AFFINITY
///   chm_rc spawn_service(chm_task*, const chm_spawn_opts*)  may throw before it took the task
template <class Self>
inline constexpr chm_service_ext service_extension{
    sizeof(chm_service_ext), 0,
    [](chm_executor* e) noexcept -> std::uint32_t { return static_cast<const Self*>(e)->workers(); },
    [](chm_executor* e) noexcept -> chm_rc { return static_cast<const Self*>(e)->worker_here(); },
    [](chm_executor* e, chm_task* task, const chm_spawn_opts* opts) noexcept -> chm_rc {
        if (task == nullptr) return CHM_E_INVAL;
        return guarded(nullptr, [&] { return static_cast<Self*>(e)->spawn_service(task, opts); });
    }};

/// [any-thread] The executor's extension. nullptr: it has none, or the executor is NULL.
inline const chm_service_ext* service_of(chm_executor* e) noexcept {
    return e ? static_cast<const chm_service_ext*>(e->vt->get_extension(e, CHM_EXT_SERVICE)) : nullptr;
}

/// Self needs:
///   chm_session* open(const chm_session_args&)  may throw
///   const void* extension(std::string_view id) noexcept
/// Flags: CHM_TRANSPORT_*.
template <class Self, std::uint32_t Flags = 0>
class transport_base : public chm_transport {
  protected:
    transport_base() noexcept : chm_transport{&vtable} {}
    ~transport_base() = default;

  private:
    static Self& self(chm_transport* t) noexcept { return *static_cast<Self*>(t); }
    static chm_rc open_thunk(chm_transport* t, const chm_session_args* args, chm_session** out,
                             chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            *out = self(t).open(*args);
            return CHM_OK;
        });
    }
    static void destroy_thunk(chm_transport* t) noexcept { delete &self(t); }
    static const void* extension_thunk(chm_transport* t, const char* id) noexcept {
        return id ? self(t).extension(id) : nullptr;
    }
    static constexpr chm_transport_vt vtable{sizeof(chm_transport_vt), Flags, open_thunk, destroy_thunk,
                                             extension_thunk};
};

/// Self needs:
///   chm_exchange* start(const chm_request&)  may throw
template <class Self>
class session_base : public chm_session {
  protected:
    session_base() noexcept : chm_session{&vtable} {}
    ~session_base() = default;

  private:
    static Self& self(chm_session* s) noexcept { return *static_cast<Self*>(s); }
    static chm_rc start_thunk(chm_session* s, const chm_request* request, chm_exchange** out, chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            *out = self(s).start(*request);
            return CHM_OK;
        });
    }
    static void close_thunk(chm_session* s) noexcept { delete &self(s); }
    static constexpr chm_session_vt vtable{sizeof(chm_session_vt), 0, start_thunk, close_thunk};
};

/// Result of a poll that did not fail. A type of its own, because CHM_OK is CHM_PENDING: a poll that returns CHM_OK to
/// say "done" would hang, so that does not compile. `poll_result{rc}` converts the result of a poll of the contract.
enum class poll_result : chm_rc {
    pending = CHM_PENDING, ///< the waker will be woken
    ready = CHM_READY,     ///< the value is there
    end = CHM_END          ///< the stream is complete
};

/// Self needs:
///   poll_result poll_head(chm_waker*, chm_head&)    may throw error with the code to return
///   poll_result poll_chunk(chm_waker*, chm_str&)    likewise
///   void close() noexcept                           frees, or gives back, the exchange
template <class Self>
class exchange_base : public chm_exchange {
  protected:
    exchange_base() noexcept : chm_exchange{&vtable} {}
    ~exchange_base() = default;

  private:
    static Self& self(chm_exchange* x) noexcept { return *static_cast<Self*>(x); }
    static chm_rc head_thunk(chm_exchange* x, chm_waker* waker, chm_head* head, chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            const poll_result result = self(x).poll_head(waker, *head);
            return static_cast<chm_rc>(result);
        });
    }
    static chm_rc chunk_thunk(chm_exchange* x, chm_waker* waker, chm_str* view, chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            const poll_result result = self(x).poll_chunk(waker, *view);
            return static_cast<chm_rc>(result);
        });
    }
    static void close_thunk(chm_exchange* x) noexcept { self(x).close(); }
    static constexpr chm_exchange_vt vtable{sizeof(chm_exchange_vt), 0, head_thunk, chunk_thunk, close_thunk};
};

/// Copies as much of `mine` into *out as the caller's version of the struct has. out->size stays.
template <class Struct>
void copy_sized(Struct* out, const Struct& mine) noexcept {
    const std::uint32_t size = out->size;
    std::memcpy(out, &mine, std::min<std::size_t>(size, sizeof mine));
    out->size = size;
}

/// Fills *out as chm_timing_ext::read does.
inline void copy_timing(chm_exchange_timing* out, const chm_exchange_timing& mine) noexcept { copy_sized(out, mine); }

/// The factory of an executor class with `static constexpr chm_option schema[]` (or std::array) and a constructor
/// (const chm_host*, const options&).
template <class Executor>
inline const chm_executor_factory executor_factory{
    sizeof(chm_executor_factory), static_cast<std::uint32_t>(std::size(Executor::schema)), std::data(Executor::schema),
    [](const chm_host* host, const chm_config* config, chm_executor** out, chm_error* err) noexcept -> chm_rc {
        return guarded(err, [&]() -> chm_rc {
            *out = std::make_unique<Executor>(host, options(config, Executor::schema)).release();
            return CHM_OK;
        });
    }};

/// The same for a transport class.
template <class Transport>
inline const chm_transport_factory transport_factory{
    sizeof(chm_transport_factory), static_cast<std::uint32_t>(std::size(Transport::schema)),
    std::data(Transport::schema),
    [](const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err) noexcept -> chm_rc {
        return guarded(err, [&]() -> chm_rc {
            *out = std::make_unique<Transport>(host, options(config, Transport::schema)).release();
            return CHM_OK;
        });
    }};

/// The id by which a host asks for this type of factory.
template <class Factory>
inline constexpr std::string_view factory_id_of{};
/// The id of an executor factory.
template <>
inline constexpr std::string_view factory_id_of<chm_executor_factory> = CHM_FACTORY_EXECUTOR;
/// The id of a transport factory.
template <>
inline constexpr std::string_view factory_id_of<chm_transport_factory> = CHM_FACTORY_TRANSPORT;
/// The id of a coordinator factory.
template <>
inline constexpr std::string_view factory_id_of<chm_coordinator_factory> = CHM_FACTORY_COORDINATOR;

/// get_factory of a plugin that has one factory.
template <const auto& Factory>
const void* single_factory(const char* factory_id) noexcept {
    constexpr std::string_view id = factory_id_of<std::remove_cvref_t<decltype(Factory)>>;
    static_assert(!id.empty(), "not a factory of the contract");
    return factory_id && id == factory_id ? &Factory : nullptr;
}
/// get_factory of a plugin whose factory makes executors of this class, and no other.
template <class Type>
inline constexpr auto single_executor = single_factory<executor_factory<Type>>;
/// The same for transports.
template <class Type>
inline constexpr auto single_transport = single_factory<transport_factory<Type>>;

/// chm_plugin_entry.init, deinit and flags, taken from the class of the plugin's instances:
///   static void init(const chm_host*)        once, on the main thread, before any instance; may throw sdk::error
///   static void deinit() noexcept            once, after the last instance
///   static constexpr std::uint32_t plugin_flags = CHM_PLUGIN_...
/// Each may be missing.
template <class Type>
inline constexpr decltype(chm_plugin_entry::init) init_of = [] {
    decltype(chm_plugin_entry::init) init = nullptr;
    if constexpr (requires(const chm_host* host) { Type::init(host); })
        init = [](const chm_host* host, chm_error* err) noexcept -> chm_rc {
            return guarded(err, [&]() -> chm_rc {
                Type::init(host);
                return CHM_OK;
            });
        };
    return init;
}();
/// See init_of.
template <class Type>
inline constexpr decltype(chm_plugin_entry::deinit) deinit_of = [] {
    decltype(chm_plugin_entry::deinit) deinit = nullptr;
    if constexpr (requires { Type::deinit(); }) deinit = []() noexcept { Type::deinit(); };
    return deinit;
}();
/// See init_of.
template <class Type>
inline constexpr std::uint32_t plugin_flags_of = [] {
    if constexpr (requires { Type::plugin_flags; })
        return std::uint32_t{Type::plugin_flags};
    else
        return std::uint32_t{0};
}();

} // namespace chimera::sdk

/// Defines the exported entry of a plugin with one executor; a semicolon follows, as after each macro here:
/// CHIMERA_EXECUTOR_PLUGIN("my_pool", "1.0", "what it is", my_pool);
/// A static `init`, `deinit` or `plugin_flags` of the class becomes the entry's (see init_of).
#define CHIMERA_EXECUTOR_PLUGIN(id, version, description, type)                                                        \
    CHIMERA_PLUGIN_ENTRY_OF(id, version, description, ::chimera::sdk::plugin_flags_of<type>,                           \
                            ::chimera::sdk::init_of<type>, ::chimera::sdk::deinit_of<type>,                            \
                            ::chimera::sdk::single_executor<type>)
/// The same for a plugin with one transport.
#define CHIMERA_TRANSPORT_PLUGIN(id, version, description, type)                                                       \
    CHIMERA_PLUGIN_ENTRY_OF(id, version, description, ::chimera::sdk::plugin_flags_of<type>,                           \
                            ::chimera::sdk::init_of<type>, ::chimera::sdk::deinit_of<type>,                            \
                            ::chimera::sdk::single_transport<type>)
/// For a plugin with several factories: flags are CHM_PLUGIN_*, get_factory is as in chm_plugin_entry.
#define CHIMERA_PLUGIN_ENTRY(id, version, description, flags, get_factory)                                             \
    CHIMERA_PLUGIN_ENTRY_OF(id, version, description, flags, nullptr, nullptr, get_factory)
/// For everything else, with init and deinit. Each of them may be nullptr.
#define CHIMERA_PLUGIN_ENTRY_OF(id, version, description, flags, init, deinit, get_factory)                            \
    extern "C" CHM_EXPORT const chm_plugin_entry chimera_plugin_entry;                                                 \
    extern "C" const chm_plugin_entry chimera_plugin_entry = {sizeof(chm_plugin_entry),                                \
                                                              CHM_ABI_MAJOR,                                           \
                                                              CHM_ABI_MINOR,                                           \
                                                              flags,                                                   \
                                                              id,                                                      \
                                                              version,                                                 \
                                                              description,                                             \
                                                              init,                                                    \
                                                              deinit,                                                  \
                                                              get_factory}
