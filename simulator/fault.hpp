#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::sim {

enum class fault_kind : std::uint8_t {
    none,
    refuse,
    reset,
    stall,
    garbage,
    oversized,
    error_record,
    status_429,
    status_500,
    status_503,
    slow_drip,
    truncated_chunk,
    early_close,
    bad_chunk,
    linger,
    clump,
    no_text,
    finish_reason,
    status_201,
    bad_durations,
    hidden_reasoning,
};

/// Size of the record that an `oversized` fault sends.
inline constexpr std::size_t oversized_record_bytes = std::size_t{8} << 20;

/// One misbehaviour that was asked for. docs/simulator.md explains the fields for each kind.
struct fault_spec {
    fault_kind kind = fault_kind::none;
    std::uint32_t after = 0;    ///< records sent undisturbed before it strikes; `refuse`: requests
    std::uint32_t requests = 0; ///< strikes only that many requests, then never again; 0: all
    std::uint32_t ms = 0;       ///< `stall`, `refuse`: length (0: for ever); `slow_drip`: per byte; status: Retry-After
    std::uint32_t tokens = 0;   ///< `hidden_reasoning`: how many
    std::string reason;         ///< `finish_reason`: the one that the reply gives
};

/// Parses `KIND[,after=N][,requests=M][,ms=T][,tokens=K][,reason=R]`. Throws std::invalid_argument whose text names
/// the fault, the known kinds, and fields that have no meaning for the kind.
fault_spec parse_fault(std::string_view text);

/// True for the kinds that strike once, at one place of the reply. All others but the statuses shape the reply from its
/// beginning on, or from `after` records on.
bool strikes_once(fault_kind kind);

/// True for the kinds that answer with an HTTP error status instead of a reply.
bool is_status(fault_kind kind);

/// 429, 500 or 503 for a kind that is an error status, else 0.
int status_of(fault_kind kind);

/// The faults of the command line, with the count of requests that each one has still to strike.
class fault_list {
  public:
    explicit fault_list(const std::vector<fault_spec>& specs);

    /// The fault for the next request: the first one that still has requests to strike. `refuse` is never among them.
    fault_spec take();

    /// The `refuse` fault, where one was given.
    std::optional<fault_spec> refuse() const { return refuse_; }

  private:
    struct entry {
        fault_spec spec;
        std::uint32_t left;
    };
    std::vector<entry> entries_;
    std::optional<fault_spec> refuse_;
};

} // namespace chimera::sim
