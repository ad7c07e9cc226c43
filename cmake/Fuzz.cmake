# The fuzz targets of spec/fuzz/, each build/fuzz/<target>, and a test for each.
#
# They need clang's libFuzzer, whatever compiler the rest is built with, so the
# files they share are compiled once more here, by hand.  Without clang or its
# runtime the tests are skipped by name.

set(GPTIMAGE2_FUZZ_TARGETS headers image job_state json naming redact reply url)
set(GPTIMAGE2_FUZZ_SECONDS 10 CACHE STRING
  "How long ctest runs each fuzz target")
mark_as_advanced(GPTIMAGE2_FUZZ_SECONDS)
set(GPTIMAGE2_FUZZ_SANITIZERS -fsanitize=address,undefined
  -fno-sanitize-recover=all)
# What a target has besides its own file and the engine's archive.
set(GPTIMAGE2_FUZZ_WITH_json engine_double lua_state binding)
set(GPTIMAGE2_FUZZ_WITH_naming engine_double lua_state binding)
set(GPTIMAGE2_FUZZ_WITH_reply engine_double lua_state binding)

# Sets GPTIMAGE2_FUZZ_READY when clang can build a target.
function(gptimage2_try_clang)
  set(probe "${CMAKE_BINARY_DIR}/fuzz/probe")
  file(WRITE "${probe}.c" "#include <stddef.h>\n#include <stdint.h>\n"
    "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);\n"
    "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n"
    "{ (void)data; (void)size; return 0; }\n")
  execute_process(
    COMMAND "${GPTIMAGE2_CLANG}" -fsanitize=fuzzer ${GPTIMAGE2_FUZZ_SANITIZERS}
      "${probe}.c" -o "${probe}"
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  if(result EQUAL 0)
    set(GPTIMAGE2_FUZZ_READY ON CACHE INTERNAL "clang has libFuzzer")
  endif()
endfunction()

# Appends the object of SOURCE, relative to the top, to OUT.
function(gptimage2_fuzz_object source out)
  set(object "${CMAKE_BINARY_DIR}/fuzz/objects/${source}.o")
  get_filename_component(folder "${object}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT "${object}"
    COMMAND "${GPTIMAGE2_CLANG}" ${GPTIMAGE2_FUZZ_FLAGS} -MD -MF "${object}.d"
      -c "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${object}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPFILE "${object}.d"
    COMMENT "Building fuzz object ${source}"
    VERBATIM)
  set(${out} ${${out}} "${object}" PARENT_SCOPE)
endfunction()

function(gptimage2_set_fuzz_flags)
  gptimage2_find_lua(5.4 lua abi)
  set(flags -std=c11 -g -O1 -UNDEBUG -fno-omit-frame-pointer
    -fsanitize=fuzzer-no-link ${GPTIMAGE2_FUZZ_SANITIZERS}
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
    -Wconversion -D_GNU_SOURCE "-I${CMAKE_CURRENT_SOURCE_DIR}/src"
    "-DFUZZ_ROOT=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
  execute_process(COMMAND "${GPTIMAGE2_CLANG}" -dumpversion
    OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  gptimage2_warnings_are_errors(Clang "${version}" werror)
  if(werror)
    list(APPEND flags -Werror)
  endif()
  foreach(folder ${lua} "${GPTIMAGE2_CURL_INCLUDE}"
      ${GPTIMAGE2_LEDGER_INCLUDES})
    list(APPEND flags -isystem "${folder}")
  endforeach()
  get_target_property(soname gptimage2_curl INTERFACE_COMPILE_DEFINITIONS)
  list(APPEND flags "-D${soname}")
  set(GPTIMAGE2_FUZZ_FLAGS "${flags}" PARENT_SCOPE)
endfunction()

# The engine as an archive: a target takes what it needs, so that the stand-in
# comes before the real one.
function(gptimage2_add_fuzz_archive)
  set(objects "")
  foreach(source IN LISTS GPTIMAGE2_ENGINE_SOURCES)
    gptimage2_fuzz_object("${source}" objects)
  endforeach()
  set(archive "${CMAKE_BINARY_DIR}/fuzz/engine.a")
  add_custom_command(OUTPUT "${archive}"
    COMMAND "${CMAKE_AR}" rcs "${archive}" ${objects}
    DEPENDS ${objects} VERBATIM)
endfunction()

function(gptimage2_add_fuzz_target name)
  set(objects "")
  gptimage2_fuzz_object("spec/fuzz/${name}.c" objects)
  foreach(part IN LISTS GPTIMAGE2_FUZZ_WITH_${name})
    list(APPEND objects ${GPTIMAGE2_FUZZ_PART_${part}})
  endforeach()
  set(program "${CMAKE_BINARY_DIR}/fuzz/${name}")
  set(archive "${CMAKE_BINARY_DIR}/fuzz/engine.a")
  add_custom_command(OUTPUT "${program}"
    COMMAND "${GPTIMAGE2_CLANG}" -fsanitize=fuzzer
      ${GPTIMAGE2_FUZZ_SANITIZERS} ${objects} "${archive}"
      "${GPTIMAGE2_LUA_LIBRARY}" "${GPTIMAGE2_CURL_LIBRARY}"
      ${GPTIMAGE2_LEDGER_LIBRARIES} -lpthread -ldl -lm -o "${program}"
    DEPENDS ${objects} "${archive}" VERBATIM)
  set(GPTIMAGE2_FUZZ_PROGRAMS ${GPTIMAGE2_FUZZ_PROGRAMS} "${program}"
    PARENT_SCOPE)
  add_test(NAME fuzz/${name}
    COMMAND "${GPTIMAGE2_SPECS}/fuzz/run" ${GPTIMAGE2_FUZZ_SECONDS}
      "${CMAKE_BINARY_DIR}" ${name})
  math(EXPR limit "10 * ${GPTIMAGE2_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT ${limit})
  gptimage2_keeps_busy(fuzz/${name} ${GPTIMAGE2_FUZZ_SECONDS})
endfunction()

function(gptimage2_add_fuzz)
  gptimage2_set_fuzz_flags()
  foreach(part engine_double lua_state)
    gptimage2_fuzz_object("spec/fuzz/${part}.c" GPTIMAGE2_FUZZ_PART_${part})
  endforeach()
  foreach(source IN LISTS GPTIMAGE2_BINDING_SOURCES)
    gptimage2_fuzz_object("${source}" GPTIMAGE2_FUZZ_PART_binding)
  endforeach()
  gptimage2_add_fuzz_archive()
  foreach(name IN LISTS GPTIMAGE2_FUZZ_TARGETS)
    gptimage2_add_fuzz_target(${name})
  endforeach()
  add_custom_target(fuzz ALL DEPENDS ${GPTIMAGE2_FUZZ_PROGRAMS})
endfunction()

if(NOT GPTIMAGE2_CORE OR NOT GPTIMAGE2_SANITIZERS OR
    NOT "5.4" IN_LIST GPTIMAGE2_LUA)
  return()
endif()
find_program(GPTIMAGE2_CLANG NAMES clang clang-14)
find_library(GPTIMAGE2_LUA_LIBRARY NAMES lua5.4 lua-5.4 lua54)
mark_as_advanced(GPTIMAGE2_CLANG GPTIMAGE2_LUA_LIBRARY)
if(GPTIMAGE2_CLANG AND NOT GPTIMAGE2_FUZZ_READY)
  gptimage2_try_clang()
endif()
if(NOT GPTIMAGE2_CLANG)
  gptimage2_skip(fuzz clang-is-not-installed fuzz)
elseif(NOT GPTIMAGE2_FUZZ_READY)
  gptimage2_skip(fuzz clang-has-no-libfuzzer fuzz)
elseif(NOT GPTIMAGE2_LUA_LIBRARY)
  gptimage2_skip(fuzz liblua-5.4-is-not-installed fuzz)
else()
  gptimage2_add_fuzz()
endif()
