# Headers that many sources include are compiled once for each set of compile options: half of a build went into reading
# them again and again. Sources include what they use all the same.
#
# GCC 12 does not know the parts of such a header as the system's and repeats what it wrongly says of std::string there
# (its bugs 105329, 105651 and their like), so those warnings are off here. Builds without optimization do not have them.
#
# chimera_precompile(TARGET [ALSO target...] HEADERS header...): for TARGET, and for others with the same options.
function(chimera_precompile target)
  cmake_parse_arguments(arg "" "" "ALSO;HEADERS" ${ARGN})
  target_precompile_headers(${target} PRIVATE ${arg_HEADERS})
  foreach(other IN LISTS target arg_ALSO)
    target_compile_options(${other} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
    if(NOT other STREQUAL target)
      target_precompile_headers(${other} REUSE_FROM ${target})
    endif()
  endforeach()
endfunction()

set(standard_headers <algorithm> <array> <atomic> <chrono> <functional> <memory> <mutex> <optional> <random> <ranges> <span>
    <string> <thread> <unordered_map> <vector>)
set(json_headers ${standard_headers} <filesystem> <fmt/format.h> <map> <nlohmann/json.hpp>)

chimera_precompile(chimera_http1 HEADERS ${standard_headers} "${CMAKE_SOURCE_DIR}/plugin_api/include/chimera/sdk/plugin.hpp"
  ALSO chimera_stream_socket curl socket_parts h2_parts thread_pool uv_pinned uring async_std_bridge)
if(TARGET chimera_vote)
  chimera_precompile(chimera_vote HEADERS ${standard_headers}
    ALSO chimera_frame chimera_group chimera_quic_engine chimera_quic_stations local quic vote_models)
endif()
chimera_precompile(chimera_conformance HEADERS
  "${CMAKE_SOURCE_DIR}/plugin_api/conformance/case.hpp" "${CMAKE_SOURCE_DIR}/plugin_api/conformance/kit/client.hpp")
chimera_precompile(chimera_sim HEADERS ${json_headers} <simdjson.h>)
chimera_precompile(chimera_measure HEADERS ${json_headers}
  ALSO chimera_agent chimera_coordination chimera_profile chimera_provenance chimera_questions chimera_registry chimera_result chimera_run
       chimera_workload)
chimera_precompile(chimera_protocol HEADERS ${standard_headers} <fmt/format.h> <simdjson.h>)
chimera_precompile(chimera_study HEADERS ${json_headers} # its options are those of what is large
  ALSO chimera_cli chimera_live chimera_live_sweep chimera_publish chimera_report chimera_sweep chimera_tr115)
