// Asks the servers of a profile for their software, version and models.
#pragma once

#include "result/provenance_fields.hpp"
#include "run/execution.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What one server told when it was asked.
struct asked_model {
    std::string name;          ///< as the profile has it
    std::optional<bool> there; ///< nothing: the server gave no list of its models
};
template <>
inline constexpr auto fields_of<asked_model> = field_list(field("name", &asked_model::name),
                                                          field("there", &asked_model::there));

struct server_told {
    server_identity identity;
    bool answered = false;                           ///< a head of a response came
    std::string fault;                               ///< why none came; empty: it did
    std::vector<asked_model> models;                 ///< that the profile asks it for
    std::optional<std::vector<std::string>> offered; ///< the models that it has; nothing: it gave no list
};
template <>
inline constexpr auto
    fields_of<server_told> = field_list(field("identity", &server_told::identity),
                                        field("answered", &server_told::answered), field("fault", &server_told::fault),
                                        field("models", &server_told::models), field("offered", &server_told::offered));

/// Asks every server once, all at the same time, with the profile's own executor, transport, headers and API key. Of
/// the simulators that chimera started only the first is asked: they are the same program. Redirects are not followed,
/// and a large answer is not read.
///
/// Never fails: what a server does not tell within the limit is absent. The control ends it early.
std::vector<server_told> question_servers(const execution_setup&, execution_control&,
                                          std::chrono::milliseconds limit = std::chrono::seconds(2));
/// The same, and only who they are.
std::vector<server_identity> ask_servers(const execution_setup&, execution_control&,
                                         std::chrono::milliseconds limit = std::chrono::seconds(2));

} // namespace chimera::host
