# Every library that the build uses, in one place. Debian 12's default Boost (1.74) has fiber bugs: 1.81 is asked for by
# name. Header-only parts of Boost (DLL, Math, ...) come with Boost::headers.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS fiber context url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(doctest REQUIRED)
# libcsv brings neither a CMake package nor a pkg-config file.
find_path(libcsv_headers csv.h REQUIRED)
find_library(libcsv_library csv REQUIRED)
add_library(libcsv::libcsv UNKNOWN IMPORTED)
set_target_properties(libcsv::libcsv PROPERTIES
  IMPORTED_LOCATION "${libcsv_library}" INTERFACE_INCLUDE_DIRECTORIES "${libcsv_headers}")
find_package(PkgConfig REQUIRED)
# The conformance kit's servers speak TLS and HTTP/2.
find_package(OpenSSL 3)
if(NOT OpenSSL_FOUND)
  message(FATAL_ERROR "OpenSSL 3 is missing: apt install libssl-dev, or ./dev build")
endif()
# Results name each plugin by its SHA-256.
pkg_check_modules(nettle IMPORTED_TARGET nettle)
if(NOT nettle_FOUND)
  message(FATAL_ERROR "nettle is missing: apt install nettle-dev, or ./dev build")
endif()
pkg_check_modules(libacl REQUIRED IMPORTED_TARGET libacl)
pkg_check_modules(libuv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(libnghttp2 IMPORTED_TARGET libnghttp2)
if(NOT libnghttp2_FOUND)
  message(FATAL_ERROR "nghttp2 is missing: apt install libnghttp2-dev, or ./dev build")
endif()
# Signs votes. Without it the coordinators' decision core is left out.
pkg_check_modules(libsodium IMPORTED_TARGET libsodium)
# Not its CMake package: Debian's asks for civetweb's, which linking does not need.
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
# The frames of the coordinators. flatc writes the code for their schema.
find_path(flatbuffers_headers flatbuffers/flatbuffers.h)
find_program(CHIMERA_FLATC flatc)
if(NOT flatbuffers_headers OR NOT CHIMERA_FLATC)
  unset(CHIMERA_FLATC CACHE)
  message(STATUS "FlatBuffers is missing, so there are no coordinators: apt install flatbuffers-compiler libflatbuffers-dev")
endif()
