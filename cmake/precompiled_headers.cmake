# Headers that many sources include are compiled once for each set of compile options: half of a build went into reading
# them again and again. Sources include what they use all the same ("./dev tidy" compiles without this).
#
# GCC 12 does not know the parts of such a header as the system's and repeats what it wrongly says of std::string there
# (its bugs 105329, 105651 and their like), so those warnings are off here. Builds without optimization do not have them.
#
# chimera_precompile(NAME HEADERS header... FOR target... [LIBRARIES library...] [OPTIONS option...])
# The targets all have these options, and the libraries' definitions; one that does not exist is passed over.
function(chimera_precompile name)
  cmake_parse_arguments(arg "" "" "HEADERS;FOR;LIBRARIES;OPTIONS" ${ARGN})
  set(false_warnings -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  set(owner precompiled_${name})
  file(CONFIGURE OUTPUT ${owner}.cpp CONTENT "// Nothing but its headers.\n")
  add_library(${owner} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${owner}.cpp")
  target_compile_options(${owner} PRIVATE ${arg_OPTIONS} ${false_warnings})
  target_link_libraries(${owner} PRIVATE ${arg_LIBRARIES})
  target_precompile_headers(${owner} PRIVATE ${arg_HEADERS})
  foreach(target IN LISTS arg_FOR)
    if(TARGET ${target})
      target_compile_options(${target} PRIVATE ${false_warnings})
      target_precompile_headers(${target} REUSE_FROM ${owner})
    endif()
  endforeach()
endfunction()

set(standard_headers <algorithm> <array> <atomic> <chrono> <functional> <memory> <mutex> <optional> <random> <ranges> <span>
    <string> <thread> <unordered_map> <vector>)
set(json_headers ${standard_headers} <filesystem> <fmt/format.h> <map> <nlohmann/json.hpp>)

chimera_precompile(plugins HEADERS ${standard_headers} <chimera/sdk/plugin.hpp> LIBRARIES chimera::plugin_api
  FOR chimera_http1 chimera_stream_socket curl socket_parts h2_parts thread_pool uv_pinned uring async_std_bridge)
chimera_precompile(coordinators HEADERS ${standard_headers}
  FOR chimera_vote chimera_frame chimera_group chimera_quic_engine chimera_quic_stations local quic vote_models)
chimera_precompile(conformance HEADERS "${CMAKE_SOURCE_DIR}/plugin_api/conformance/case.hpp"
                                       "${CMAKE_SOURCE_DIR}/plugin_api/conformance/kit/client.hpp"
  OPTIONS ${CHIMERA_FOR_SIZE} LIBRARIES chimera::plugin_api FOR chimera_conformance)
chimera_precompile(simulator HEADERS ${json_headers} <simdjson.h> LIBRARIES fmt::fmt simdjson::simdjson FOR chimera_sim)
chimera_precompile(protocol HEADERS ${standard_headers} <fmt/format.h> <simdjson.h>
  LIBRARIES fmt::fmt simdjson::simdjson FOR chimera_protocol)
chimera_precompile(host HEADERS ${json_headers} LIBRARIES fmt::fmt
  FOR chimera_agent chimera_coordination chimera_measure chimera_profile chimera_provenance chimera_questions chimera_registry
      chimera_result chimera_run chimera_workload)
chimera_precompile(host_for_size HEADERS ${json_headers} OPTIONS ${CHIMERA_FOR_SIZE} LIBRARIES fmt::fmt
  FOR chimera_cli chimera_live chimera_live_sweep chimera_publish chimera_report chimera_study chimera_sweep chimera_tr115)
