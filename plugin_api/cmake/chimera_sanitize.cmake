# A plugin under a sanitizer: what chimera_add_plugin(... SANITIZE ...) adds.
#
# The host is built without one, so the sanitizer's runtime has to be in the process before the plugin is: the test
# preloads it. The runtime then replaces malloc and the like for the whole process, and checks what the plugin's own code
# does; accesses of the host are not looked at.
set(CHIMERA_TSAN_SUPPRESSIONS "${CMAKE_CURRENT_LIST_DIR}/tsan.supp")

# The file of the compiler's shared runtime, in the variable `out`; empty where it has none.
function(chimera_sanitizer_runtime sanitizer out)
  set(kind ${sanitizer})
  string(REPLACE "address" "asan" kind "${kind}")
  string(REPLACE "thread" "tsan" kind "${kind}")
  string(REPLACE "undefined" "ubsan" kind "${kind}")
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(language C)
  if("CXX" IN_LIST languages)
    set(language CXX)
  endif()
  if(CMAKE_${language}_COMPILER_ID STREQUAL "GNU")
    set(names lib${kind}.so)
  else() # Clang calls its standalone UBSan differently, and names files with or without the processor
    string(REPLACE "ubsan" "ubsan_standalone" kind "${kind}")
    set(names libclang_rt.${kind}-${CMAKE_SYSTEM_PROCESSOR}.so libclang_rt.${kind}.so)
  endif()
  set(${out} "" PARENT_SCOPE)
  foreach(name IN LISTS names)
    execute_process(COMMAND "${CMAKE_${language}_COMPILER}" -print-file-name=${name} OUTPUT_VARIABLE file
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(IS_ABSOLUTE "${file}" AND EXISTS "${file}") # a name that the compiler does not know comes back as it was
      get_filename_component(file "${file}" REALPATH)
      set(${out} "${file}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# The target NAME.SANITIZER, which is SANITIZER/NAME.so, and the test validate.NAME.SANITIZER. Definitions, include folders
# and options that the target NAME is given later hold for it, too.
function(chimera_add_sanitized_plugin name sanitizer sources libraries)
  if(NOT sanitizer MATCHES "^(address|thread|undefined)$")
    message(FATAL_ERROR "chimera_add_plugin(${name}): SANITIZE ${sanitizer}? It takes address, thread and undefined")
  endif()
  chimera_sanitizer_runtime(${sanitizer} runtime)
  if(NOT runtime)
    message(FATAL_ERROR "chimera_add_plugin(${name}): this compiler has no shared runtime for SANITIZE ${sanitizer}; "
                        "install it, or leave the sanitizer out")
  endif()
  get_target_property(host chimera::host IMPORTED_LOCATION)
  if(host) # Clang's ThreadSanitizer, for one, cannot be preloaded into a program of this size
    execute_process(COMMAND "${CMAKE_COMMAND}" -E env "LD_PRELOAD=${runtime}" "${host}" --version
                    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(failed)
      message(FATAL_ERROR "chimera_add_plugin(${name}): SANITIZE ${sanitizer}: ${host} does not run with ${runtime} preloaded "
                          "(${failed}); take another compiler, or leave the sanitizer out")
    endif()
  endif()
  set(target ${name}.${sanitizer})
  chimera_plugin_library(${target} ${name} "${sources}" "${libraries}")
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${sanitizer}")
  target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:${name},COMPILE_DEFINITIONS>)
  target_include_directories(${target} PRIVATE $<TARGET_PROPERTY:${name},INCLUDE_DIRECTORIES>)
  target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:${name},COMPILE_OPTIONS>
    -fsanitize=${sanitizer} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(${target} PRIVATE -fsanitize=${sanitizer})

  add_test(NAME validate.${target} COMMAND chimera::host validate $<TARGET_FILE:${target}> ${ARGN})
  set(settings "LD_PRELOAD=path_list_prepend:${runtime}")
  if(sanitizer STREQUAL "address") # leaks: the host's own are none of a plugin's author, and the kit counts the plugin's
    list(APPEND settings "ASAN_OPTIONS=path_list_prepend:detect_leaks=0:abort_on_error=1")
  elseif(sanitizer STREQUAL "thread")
    list(APPEND settings
      "TSAN_OPTIONS=path_list_prepend:suppressions=${CHIMERA_TSAN_SUPPRESSIONS}:halt_on_error=1:abort_on_error=1")
  else()
    list(APPEND settings "UBSAN_OPTIONS=path_list_prepend:print_stacktrace=1:abort_on_error=1")
  endif()
  set_tests_properties(validate.${target} PROPERTIES TIMEOUT 1800 LABELS "conformance;sanitized"
                       ENVIRONMENT_MODIFICATION "${settings}")
endfunction()
