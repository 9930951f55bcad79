# chimera_add_test(NAME [SOURCES file...] [LIBRARIES target...] [LABELS label...] [TIMEOUT seconds])
# A doctest executable run by ctest as one test. Tests see the build's programs and plugins through the compile
# definitions CHIMERA_BIN_DIR and CHIMERA_PLUGIN_DIR, and the checkout through CHIMERA_SOURCE_DIR.
add_library(chimera_doctest_main OBJECT "${CMAKE_SOURCE_DIR}/tests/doctest_main.cpp")
target_link_libraries(chimera_doctest_main PRIVATE doctest::doctest)
# Tests need not be fast: unoptimized, they and their headers are built in half the time.
set(CHIMERA_TEST_COMPILE_OPTIONS -O0)
target_compile_options(chimera_doctest_main PRIVATE ${CHIMERA_TEST_COMPILE_OPTIONS} -fPIE) # as executables, which share its header
target_precompile_headers(chimera_doctest_main PRIVATE
  <doctest/doctest.h> <atomic> <chrono> <filesystem> <fstream> <functional> <map> <memory> <nlohmann/json.hpp> <optional> <sstream> <string> <thread>
  <vector>)

# plugin_tests: tests of executors, transports and the SDK. thread_tests: these, and other tests of threads, for
# ThreadSanitizer. memory_tests: these, and tests of memory that comes from outside, for AddressSanitizer. The
# other tests (JSON, statistics, pages) take most of a build's time, and a sanitizer finds little there.
add_custom_target(plugin_tests)
add_custom_target(thread_tests DEPENDS plugin_tests)
add_custom_target(memory_tests DEPENDS thread_tests)

function(chimera_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;DEPENDS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300) # ends a test that hangs; the longest needs 60 s, and three times that beside builds
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} chimera_doctest_main doctest::doctest Threads::Threads)
  target_compile_options(${name} PRIVATE ${CHIMERA_TEST_COMPILE_OPTIONS})
  target_precompile_headers(${name} REUSE_FROM chimera_doctest_main)
  target_compile_definitions(${name} PRIVATE
    CHIMERA_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    CHIMERA_PLUGIN_DIR="${CHIMERA_PLUGIN_OUTPUT_DIRECTORY}"
    CHIMERA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
  if(arg_LABELS MATCHES "executor|transport|sdk")
    add_dependencies(plugin_tests ${name})
  elseif(arg_LABELS MATCHES "threads")
    add_dependencies(thread_tests ${name})
  elseif(arg_LABELS MATCHES "memory|simulator")
    add_dependencies(memory_tests ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
