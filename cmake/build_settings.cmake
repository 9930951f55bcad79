# Language level, output folders, warnings and sanitizers: the same for every target of this repository.
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

include(GNUInstallDirs)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CHIMERA_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/chimera")
set(CHIMERA_PLUGIN_DESTINATION "${CMAKE_INSTALL_LIBDIR}/chimera")

# Both are used if they are installed. mold links several times as fast as ld; ccache compiles nothing twice. ccache keeps
# sources with a precompiled header, as tests have, only if it may trust that no macro before the header changes it.
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_C_COMPILER_LAUNCHER}")
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-align -Wformat=2 -Wundef -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual> $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
add_compile_options(-fno-omit-frame-pointer -fvisibility=hidden
                    $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>)

set(CHIMERA_SANITIZE "" CACHE STRING "Comma-separated -fsanitize= list (address,undefined or thread)")
# For code that is large and runs seldom: templates that format.
set(CHIMERA_FOR_SIZE $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
if(CHIMERA_SANITIZE)
  set(CHIMERA_FOR_SIZE) # those builds are for finding faults fast
  add_compile_options(-fsanitize=${CHIMERA_SANITIZE} -fno-sanitize-recover=all)
  # A fifth of the time of a build, for what AddressSanitizer finds as well.
  add_compile_options(-fno-sanitize=null,vptr,object-size)
  add_link_options(-fsanitize=${CHIMERA_SANITIZE})
  if(CHIMERA_SANITIZE MATCHES "thread")
    # GCC's TSan does not model fences and says so; the lock-free code here uses none where TSan must see.
    add_compile_options(-Wno-tsan)
  endif()
endif()
