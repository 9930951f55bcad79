# chimera_add_plugin(NAME KIND executor|transport SOURCES file... [LIBRARIES target...] [CONFORMANCE_ARGS arg...])
# Builds NAME.so as the host wants it: a MODULE library with hidden visibility, all symbols resolved at link time, never
# unloaded (a waker may outlive everything else), and one exported symbol, chimera_plugin_entry. The version script is
# needed beside -fvisibility=hidden because libstdc++'s weak and unique symbols leak through the latter.
# Where the conformance runner is built or installed, the test conformance.NAME runs it on the plugin, with
# CONFORMANCE_ARGS (see chimera-conformance --help).
set(CHIMERA_PLUGIN_VERSION_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/plugin.map")

function(chimera_add_plugin name)
  cmake_parse_arguments(arg "" "KIND" "SOURCES;LIBRARIES;CONFORMANCE_ARGS" ${ARGN})
  if(NOT arg_KIND MATCHES "^(executor|transport)$")
    message(FATAL_ERROR "chimera_add_plugin(${name}): KIND must be executor or transport")
  endif()
  add_library(${name} MODULE ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES
    PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${CHIMERA_PLUGIN_OUTPUT_DIRECTORY}"
    LINK_DEPENDS "${CHIMERA_PLUGIN_VERSION_SCRIPT}")
  target_link_libraries(${name} PRIVATE chimera::plugin_api ${arg_LIBRARIES} Threads::Threads)
  target_link_options(${name} PRIVATE "LINKER:--version-script=${CHIMERA_PLUGIN_VERSION_SCRIPT}" "LINKER:-z,nodelete")
  if(NOT CHIMERA_SANITIZE)  # a sanitizer's own symbols are resolved at run time
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()
  if(TARGET programs)
    add_dependencies(programs ${name})
  endif()
  # The host refuses a plugin that others may write, which a umask of 002 would make of it.
  add_custom_command(TARGET ${name} POST_BUILD COMMAND chmod go-w "$<TARGET_FILE:${name}>")
  chimera_add_conformance_test(${name} ${name} ${arg_CONFORMANCE_ARGS})
  install(TARGETS ${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/chimera")
endfunction()

# chimera_add_conformance_test(NAME TARGET [arg...]): the test conformance.NAME runs the kit on a plugin, once more than
# chimera_add_plugin does, with other options (see chimera-conformance --help).
function(chimera_add_conformance_test name target)
  if(TARGET chimera-conformance)
    add_test(NAME conformance.${name} COMMAND chimera-conformance $<TARGET_FILE:${target}> ${ARGN})
    set_tests_properties(conformance.${name} PROPERTIES TIMEOUT 600 LABELS conformance)
  endif()
endfunction()
