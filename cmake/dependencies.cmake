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
find_package(PkgConfig REQUIRED)
pkg_check_modules(libacl REQUIRED IMPORTED_TARGET libacl)
pkg_check_modules(libuv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
# Not its CMake package: Debian's asks for civetweb's, which linking does not need.
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
