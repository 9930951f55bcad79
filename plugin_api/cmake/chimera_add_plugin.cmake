# chimera_add_plugin(NAME KIND executor|transport|coordinator SOURCES file... [LIBRARIES target...] [CONFORMANCE_ARGS arg...]
#                    [SANITIZE address|thread|undefined...])
# Builds NAME.so as the host wants it: a MODULE library with hidden visibility, all symbols resolved at link time, never
# unloaded (a waker may outlive everything else), and one exported symbol, chimera_plugin_entry. The version script is
# needed beside -fvisibility=hidden because libstdc++'s weak and unique symbols leak through the latter.
# The test validate.NAME tries the plugin on every rule of the contract, with CONFORMANCE_ARGS (see chimera_add_conformance_test).
# `cmake --install` puts NAME.so where a host under the same prefix finds it.
# SANITIZE builds the plugin once more for each sanitizer, and adds the test validate.NAME.SANITIZER (chimera_sanitize.cmake).
set(CHIMERA_PLUGIN_VERSION_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/plugin.map")
include("${CMAKE_CURRENT_LIST_DIR}/chimera_sanitize.cmake")

function(chimera_add_plugin name)
  cmake_parse_arguments(arg "" "KIND" "SOURCES;LIBRARIES;CONFORMANCE_ARGS;SANITIZE" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "chimera_add_plugin(${name}): what is ${arg_UNPARSED_ARGUMENTS}? It takes KIND, SOURCES, "
                        "LIBRARIES, CONFORMANCE_ARGS and SANITIZE")
  endif()
  if(NOT arg_KIND MATCHES "^(executor|transport|coordinator)$")
    message(FATAL_ERROR "chimera_add_plugin(${name}): KIND must be executor, transport or coordinator")
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "chimera_add_plugin(${name}): the name is the plugin's id: small letters, digits and _, a letter first")
  endif()
  chimera_plugin_library(${name} ${name} "${arg_SOURCES}" "${arg_LIBRARIES}")
  if(CHIMERA_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CHIMERA_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(NOT CHIMERA_SANITIZE AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${name} PRIVATE "LINKER:-z,defs") # a sanitizer's own symbols are resolved at run time
  endif()
  if(TARGET programs)
    add_dependencies(programs ${name})
  endif()
  chimera_add_conformance_test(${name} ${name} ${arg_CONFORMANCE_ARGS})
  install(TARGETS ${name} LIBRARY DESTINATION "${CHIMERA_PLUGIN_DESTINATION}" COMPONENT host)
  foreach(sanitizer IN LISTS arg_SANITIZE)
    chimera_add_sanitized_plugin(${name} ${sanitizer} "${arg_SOURCES}" "${arg_LIBRARIES}" ${arg_CONFORMANCE_ARGS})
  endforeach()
endfunction()

# The library TARGET of the plugin NAME, apart from where it goes and what is tried on it.
function(chimera_plugin_library target name sources libraries)
  add_library(${target} MODULE ${sources})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${CHIMERA_PLUGIN_VERSION_SCRIPT}")
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${target} PRIVATE cxx_std_20) # what the SDK needs
  endif()
  target_compile_options(${target} PRIVATE -Wall -Wextra)
  target_link_libraries(${target} PRIVATE chimera::plugin_api ${libraries} Threads::Threads)
  target_link_options(${target} PRIVATE "LINKER:--version-script=${CHIMERA_PLUGIN_VERSION_SCRIPT}" "LINKER:-z,nodelete")
  # The host refuses a plugin that others may write, which a umask of 002 would make of it.
  add_custom_command(TARGET ${target} POST_BUILD COMMAND chmod go-w "$<TARGET_FILE:${target}>")
endfunction()

# chimera_add_conformance_test(NAME TARGET [arg...]): the test validate.NAME tries a plugin, once more than chimera_add_plugin
# does, with other options: --set KEY=VALUE, --case GLOB, --executor FILE and the like.
function(chimera_add_conformance_test name target)
  add_test(NAME validate.${name} COMMAND chimera::host validate $<TARGET_FILE:${target}> ${ARGN})
  set_tests_properties(validate.${name} PROPERTIES TIMEOUT 600 LABELS conformance)
  if(TARGET programs) # in Chimera's own build, where the host is a target as well: builds what the test needs
    string(REGEX MATCHALL "TARGET_FILE:[a-zA-Z0-9_]+" others "${ARGN}")
    list(TRANSFORM others REPLACE "TARGET_FILE:" "")
    add_custom_target(validate.${name})
    add_dependencies(validate.${name} chimera-host ${target} ${others})
  endif()
endfunction()
