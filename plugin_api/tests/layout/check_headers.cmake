# Compiles every header alone: abi/*.h and abi.h as C99, C11 and C++20, sdk/*.hpp as C++20, with pedantic warnings as
# errors. Run as: cmake -DINCLUDE_DIR=... -DC_COMPILER=... -DCXX_COMPILER=... -P check_headers.cmake
set(warnings -pedantic -Wall -Wextra -Werror -Wshadow -Wconversion -fsyntax-only -I${INCLUDE_DIR})
set(failed 0)
set(compiled 0)

function(compile header compiler)
  file(RELATIVE_PATH name ${INCLUDE_DIR} ${header})
  # Twice: a header must bear being included again.
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "#include \"${name}\"\n#include \"${name}\""
    COMMAND ${compiler} ${warnings} ${ARGN} - RESULT_VARIABLE status ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message("${name} does not compile with ${ARGN}:\n${output}")
    math(EXPR n "${failed} + 1")
    set(failed ${n} PARENT_SCOPE)
  endif()
  math(EXPR n "${compiled} + 1")
  set(compiled ${n} PARENT_SCOPE)
endfunction()

file(GLOB contract ${INCLUDE_DIR}/chimera/*.h ${INCLUDE_DIR}/chimera/abi/*.h)
file(GLOB sdk ${INCLUDE_DIR}/chimera/sdk/*.hpp)
foreach(header IN LISTS contract)
  compile(${header} ${C_COMPILER} -x c -std=c99)
  compile(${header} ${C_COMPILER} -x c -std=c11)
  compile(${header} ${CXX_COMPILER} -x c++ -std=c++20 -Wold-style-cast)
endforeach()
foreach(header IN LISTS sdk)
  compile(${header} ${CXX_COMPILER} -x c++ -std=c++20 -Wold-style-cast)
endforeach()
message("${compiled} compilations, ${failed} failed")
if(failed GREATER 0 OR compiled LESS 40)
  message(FATAL_ERROR "every header must compile alone")
endif()
