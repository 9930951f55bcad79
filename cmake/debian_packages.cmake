# `cpack` in the build folder makes two Debian packages: chimera-host, to measure with, and chimera-dev, to write plugins
# with. They are laid out as any installation is: below /usr, private plugins in /usr/lib/chimera.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME chimera)
set(CPACK_PACKAGE_CONTACT "the Chimera authors <chimera@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL host dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_HOST_PACKAGE_NAME chimera-host)
set(CPACK_DEBIAN_HOST_PACKAGE_SECTION net)
set(CPACK_DEBIAN_HOST_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_HOST_DESCRIPTION "Runs the same agents on different schedulers and HTTP clients, loaded as plugins,
and says what ran in parallel, what was lost, and whose fault each part is.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME chimera-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "chimera-host (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "cmake, g++, make")
set(CPACK_DEBIAN_DEV_DESCRIPTION "Headers, CMake package and templates for plugins of chimera-host
Schedulers and HTTP clients of one's own, measured beside those that come with it.")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/chimera-host" RENAME copyright COMPONENT host)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/chimera-dev" RENAME copyright COMPONENT dev)
include(CPack)
