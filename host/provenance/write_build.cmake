# cmake -Dsource=... -Doutput=... -Dversion=... -Dcompiler=... -Dbuild_type=... -P write_build.cmake
# Writes build.cpp, only if it changes: a build without a new commit compiles nothing.
set(commit "")
find_program(git git)
if(git AND EXISTS "${source}/.git")
  execute_process(COMMAND "${git}" -C "${source}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  execute_process(COMMAND "${git}" -C "${source}" --no-optional-locks diff --quiet HEAD
    OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE changed)
  if(failed)
    set(commit "")
  elseif(changed)
    string(APPEND commit "+")
  endif()
endif()
configure_file("${source}/host/provenance/build.cpp.in" "${output}" @ONLY)
