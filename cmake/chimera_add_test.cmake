# chimera_add_test(NAME [SOURCES file...] [LIBRARIES target...] [LABELS label...] [TIMEOUT seconds])
# A doctest executable run by ctest as one test. Tests see the build's programs and plugins through the compile
# definitions CHIMERA_BIN_DIR and CHIMERA_PLUGIN_DIR, and the checkout through CHIMERA_SOURCE_DIR.
function(chimera_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;DEPENDS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES} "${CMAKE_SOURCE_DIR}/tests/doctest_main.cpp")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} doctest::doctest Threads::Threads)
  target_compile_definitions(${name} PRIVATE
    CHIMERA_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    CHIMERA_PLUGIN_DIR="${CHIMERA_PLUGIN_OUTPUT_DIRECTORY}"
    CHIMERA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
