# What other projects build plugins with: the headers, a CMake package and a pkg-config file. All of them move with the
# installation. The package's version is the contract's.
include(CMakePackageConfigHelpers)
foreach(part MAJOR MINOR)
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/include/chimera/abi/base.h" line REGEX "^#define CHM_ABI_${part} ")
  string(REGEX REPLACE ".* ([0-9]+)u$" "\\1" ${part} "${line}")
endforeach()
set(contract "${MAJOR}.${MINOR}")
set(package "${CMAKE_INSTALL_DATADIR}/cmake/chimera_plugin_api") # not lib: nothing in it is for one machine only
set(pkgconfig "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH up "/${pkgconfig}" "/")
string(REGEX REPLACE "/$" "" up "${up}")

set(made "${CMAKE_CURRENT_BINARY_DIR}/package")
configure_package_config_file(cmake/chimera_plugin_apiConfig.cmake.in "${made}/chimera_plugin_apiConfig.cmake"
  INSTALL_DESTINATION "${package}" PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${made}/chimera_plugin_apiConfigVersion.cmake"
  VERSION ${contract} COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
configure_file(cmake/chimera_plugin_api.pc.in "${made}/chimera_plugin_api.pc" @ONLY)

install(DIRECTORY include/chimera DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev
  PATTERN .clang-format EXCLUDE)
install(TARGETS chimera_plugin_api EXPORT chimera_plugin_api)
install(EXPORT chimera_plugin_api FILE chimera_plugin_apiTargets.cmake NAMESPACE chimera:: DESTINATION "${package}"
  COMPONENT dev)
install(FILES "${made}/chimera_plugin_apiConfig.cmake" "${made}/chimera_plugin_apiConfigVersion.cmake"
  cmake/chimera_add_plugin.cmake cmake/chimera_sanitize.cmake cmake/plugin.map cmake/tsan.supp
  DESTINATION "${package}" COMPONENT dev)
install(FILES "${made}/chimera_plugin_api.pc" DESTINATION "${pkgconfig}" COMPONENT dev)
install(DIRECTORY templates/ DESTINATION "${CMAKE_INSTALL_DATADIR}/chimera/templates" COMPONENT dev)
# What the Rust templates are built on.
install(DIRECTORY "${CMAKE_SOURCE_DIR}/examples/rust" DESTINATION "${CMAKE_INSTALL_DATADIR}/chimera" COMPONENT dev OPTIONAL
        PATTERN target EXCLUDE)
