# The pages go to share/doc/chimera, laid out as in this repository, so a relative link leads to the same page in both. No link
# leads out: tests/install/check_links.sh follows every link of every installed page.
set(CHIMERA_DOCUMENTATION "${CMAKE_INSTALL_DATADIR}/doc/chimera")
file(GLOB_RECURSE pages CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}" docs/*.md docs/*.svg docs/*.png plugins/*.md bench/*.md)
foreach(page IN LISTS pages ITEMS README.md CHANGELOG.md CONTRIBUTING.md LICENSE plugin_api/README.md)
  get_filename_component(folder "${page}" DIRECTORY)
  install(FILES "${page}" DESTINATION "${CHIMERA_DOCUMENTATION}/${folder}" COMPONENT dev)
endforeach()
# Executors as others write them: sources to read, not to be loaded.
install(DIRECTORY examples DESTINATION "${CHIMERA_DOCUMENTATION}" COMPONENT dev PATTERN target EXCLUDE PATTERN Cargo.lock EXCLUDE
        PATTERN __pycache__ EXCLUDE)
# The build folder is laid out as an installation is.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share/doc")
file(CREATE_LINK "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/share/doc/chimera" SYMBOLIC)
