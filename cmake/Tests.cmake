# Every kind of test, registered with ctest.  The labels are what
# `spec/run <label>` takes, which has a list of them; `quick` is what one runs
# after an edit.

include(Schedule)

set(GPTIMAGE2_SPECS "${CMAKE_CURRENT_SOURCE_DIR}/spec")
find_program(GPTIMAGE2_BUSTED busted)
find_program(GPTIMAGE2_VALGRIND valgrind)
find_program(GPTIMAGE2_LUAROCKS luarocks)
mark_as_advanced(GPTIMAGE2_BUSTED GPTIMAGE2_VALGRIND GPTIMAGE2_LUAROCKS)
set(GPTIMAGE2_VALGRIND_RUN ${GPTIMAGE2_VALGRIND} --quiet --error-exitcode=99
  --leak-check=full --show-leak-kinds=definite,indirect
  --errors-for-leak-kinds=definite,indirect --fair-sched=yes
  --vgdb=no --num-callers=8 --keep-stacktraces=alloc # a tenth of the time
  "--suppressions=${GPTIMAGE2_SPECS}/lib/valgrind.supp")

# A test that cannot run here says so by its name, and shows as skipped.
function(gptimage2_skip name reason)
  add_test(NAME "${name}-skipped-${reason}" COMMAND sh -c "exit 77")
  set_tests_properties("${name}-skipped-${reason}" PROPERTIES
    SKIP_RETURN_CODE 77 LABELS "${ARGN}")
endfunction()

# Thousands of jobs of many lives, for what is true on average, or every move
# from every row that a ledger can have: they compute for seconds, and for
# minutes with a sanitizer. The same rules, in small, are what other tests of
# theirs look at with every sanitizer; these are for the plain build alone.
set(GPTIMAGE2_C_AVERAGES ledger_sums poll_crowd poll_drift poll_learning poll_mixed
  poll_short)

function(gptimage2_add_c_tests flavour prefix timeout)
  if(NOT GPTIMAGE2_CMOCKA_INCLUDE OR NOT GPTIMAGE2_CMOCKA_LIBRARY)
    gptimage2_skip(${prefix} cmocka-is-not-installed ${ARGN})
    return()
  endif()
  set(names ${GPTIMAGE2_C_TESTS})
  if(NOT flavour STREQUAL "plain")
    list(REMOVE_ITEM names ${GPTIMAGE2_C_AVERAGES})
  endif()
  foreach(name IN LISTS names)
    set(target c-${flavour}-${name})
    file(GLOB source CONFIGURE_DEPENDS "${GPTIMAGE2_SPECS}/c/${name}_test.c"
      "${GPTIMAGE2_SPECS}/c/*/${name}_test.c")
    add_executable(${target} ${source}
      $<TARGET_OBJECTS:engine-${flavour}>)
    target_link_libraries(${target} PRIVATE gptimage2_settings gptimage2_curl gptimage2_ledger_libs
      gptimage2_flavour_${flavour} "${GPTIMAGE2_CMOCKA_LIBRARY}")
    target_include_directories(${target} PRIVATE "${GPTIMAGE2_SPECS}/c")
    if(GPTIMAGE2_POSIX OR flavour STREQUAL "posix")
      target_compile_definitions(${target} PRIVATE GPTIMAGE2_POSIX)
    endif()
    if(NOT flavour STREQUAL "plain") # half of the time to compile them
      target_compile_options(${target} PRIVATE -O0)
    endif()
    target_include_directories(${target} SYSTEM PRIVATE
      "${GPTIMAGE2_CMOCKA_INCLUDE}")
    add_dependencies(c-tests-${flavour} ${target})
    add_test(NAME ${prefix}/${name} COMMAND ${target})
    set_tests_properties(${prefix}/${name} PROPERTIES
      LABELS "${ARGN}" TIMEOUT ${timeout})
  endforeach()
endfunction()

# The program's specs start a process for each command line. All of them run on
# the oldest Lua and on the one that starts the program as a rule; elsewhere
# those that show that it works there at all, with ASan those too that reach
# what it has in C. Under valgrind a start takes seconds, and that is looked at
# by specs of others.
set(GPTIMAGE2_WHOLE_COMMANDS 5.1 5.4)
set(GPTIMAGE2_COMMAND_SAMPLE batch_rows command manual progress)
set(GPTIMAGE2_COMMAND_SAMPLE_asan build_command interrupt_command ledger_check)

# Whether the spec is run with this variant.
function(gptimage2_concerns spec name variant label out)
  set(${out} OFF PARENT_SCOPE)
  # Programs of others: they bring a Lua of their own (hosts), or libraries
  # that no sanitizer knows (loops).
  if(spec MATCHES "/hosts/" OR
      (spec MATCHES "/loops/" AND NOT label MATCHES "^lua-"))
    return()
  endif()
  if(spec MATCHES "/command/" AND (label STREQUAL "valgrind" OR
      NOT (variant IN_LIST GPTIMAGE2_WHOLE_COMMANDS OR
        name IN_LIST GPTIMAGE2_COMMAND_SAMPLE OR
        name IN_LIST GPTIMAGE2_COMMAND_SAMPLE_${variant})))
    return()
  endif()
  # Processes that are killed: no sanitizer would say anything.
  if(spec MATCHES "/assets/kill_" AND NOT label MATCHES "^lua-")
    return()
  endif()
  if(DEFINED GPTIMAGE2_SPECS_OF_${variant} AND
      NOT name IN_LIST GPTIMAGE2_SPECS_OF_${variant})
    return()
  endif()
  set(${out} ON PARENT_SCOPE)
endfunction()

function(gptimage2_add_spec_test variant label timeout name specs)
  add_test(NAME ${label}/${name}
    COMMAND "${CMAKE_BINARY_DIR}/lua/${variant}/lua" "${GPTIMAGE2_BUSTED}"
      --output=plainTerminal ${specs}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties(${label}/${name} PROPERTIES
    LABELS "${label};${ARGN}" TIMEOUT ${timeout})
endfunction()

# One test for each spec file, so that a failing file is named and ctest runs
# them side by side.
function(gptimage2_add_specs variant label timeout)
  file(GLOB specs CONFIGURE_DEPENDS "${GPTIMAGE2_SPECS}/*/*_spec.lua")
  foreach(spec IN LISTS specs)
    get_filename_component(name "${spec}" NAME)
    string(REPLACE "_spec.lua" "" name "${name}")
    gptimage2_concerns("${spec}" ${name} ${variant} ${label} concerns)
    if(NOT concerns)
      continue()
    endif()
    file(RELATIVE_PATH spec "${CMAKE_CURRENT_SOURCE_DIR}" "${spec}")
    if(label STREQUAL "valgrind" AND NOT DEFINED GPTIMAGE2_SECONDS_${name} AND
        NOT spec MATCHES "/project/")
      list(APPEND short "${spec}")
    else()
      gptimage2_add_spec_test(
        ${variant} ${label} ${timeout} ${name} ${spec} ${ARGN})
      gptimage2_schedule_spec(${variant} ${label}/${name} ${name})
    endif()
  endforeach()
  gptimage2_add_specs_together(${variant} ${label} ${timeout} "${short}")
endfunction()

# Under valgrind the start alone takes three seconds: short specs of one folder
# share it, four at most, and the test has the names of all.
function(gptimage2_add_specs_together variant label timeout specs)
  set(folder "")
  set(names "")
  set(together "")
  foreach(spec IN LISTS specs ITEMS "end/end_spec.lua")
    get_filename_component(its_folder "${spec}" DIRECTORY)
    list(LENGTH together count)
    if(count GREATER 0 AND
        (count EQUAL 4 OR NOT its_folder STREQUAL folder))
      list(JOIN names "+" name)
      gptimage2_add_spec_test(
        ${variant} ${label} ${timeout} ${name} "${together}")
      math(EXPR seconds "10 * ${count}")
      gptimage2_keeps_busy(${label}/${name} ${seconds})
      set(names "")
      set(together "")
    endif()
    set(folder "${its_folder}")
    list(APPEND together "${spec}")
    get_filename_component(name "${spec}" NAME)
    string(REPLACE "_spec.lua" "" name "${name}")
    list(APPEND names "${name}")
  endforeach()
endfunction()

function(gptimage2_add_valgrind_tests)
  if(NOT GPTIMAGE2_VALGRIND)
    gptimage2_skip(valgrind valgrind-is-not-installed valgrind)
    return()
  endif()
  list(JOIN GPTIMAGE2_VALGRIND_RUN "' '" run)
  # A spec whose process leaks by design says so to ASan; to valgrind, too.
  set(no_leaks "\${GPTIMAGE2_SPEC_LEAKS:+--leak-check=no}")
  gptimage2_write_launcher(valgrind 5.4
    "'${run}' ${no_leaks} '${GPTIMAGE2_PROGRAM_5.4}'" ON)
  gptimage2_add_specs(valgrind valgrind 900)
  if(NOT GPTIMAGE2_CMOCKA_INCLUDE OR NOT GPTIMAGE2_CMOCKA_LIBRARY)
    return()
  endif()
  set(names ${GPTIMAGE2_C_TESTS})
  list(REMOVE_ITEM names ${GPTIMAGE2_C_AVERAGES})
  foreach(name IN LISTS names)
    add_test(NAME valgrind/c/${name}
      COMMAND ${GPTIMAGE2_VALGRIND_RUN} $<TARGET_FILE:c-plain-${name}>)
    set_tests_properties(valgrind/c/${name} PROPERTIES
      LABELS valgrind TIMEOUT 300)
  endforeach()
endfunction()

# Whether the interpreter of VERSION finds MODULE: a release of a system may
# have a Lua without all of its modules.
function(gptimage2_lua_has version module out)
  set(${out} OFF PARENT_SCOPE)
  execute_process(
    COMMAND "${GPTIMAGE2_PROGRAM_${version}}" -e "require('${module}')"
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  if(result EQUAL 0)
    set(${out} ON PARENT_SCOPE)
  endif()
endfunction()

# The specs that meet what is done in another way there: waiting and waking,
# sockets, files, locks, forks, the end.  All of them: -DGPTIMAGE2_POSIX=ON.
set(GPTIMAGE2_SPECS_OF_posix account exit fork interrupt ledger_file locale
  parting save save_existing security stdio step stopped tls wait)

function(gptimage2_add_spec_tests)
  if(NOT GPTIMAGE2_BUSTED)
    list(TRANSFORM GPTIMAGE2_LUA PREPEND lua- OUTPUT_VARIABLE labels)
    gptimage2_skip(specs busted-is-not-installed quick ${labels})
    return()
  endif()
  foreach(version IN LISTS GPTIMAGE2_LUA)
    set(labels "")
    if(version STREQUAL "5.4")
      set(labels quick)
    endif()
    if(NOT GPTIMAGE2_PROGRAM_${version})
      gptimage2_skip(lua-${version} its-interpreter-is-not-installed
        lua-${version})
      continue()
    endif()
    gptimage2_lua_has(${version} busted has_busted)
    if(has_busted AND GPTIMAGE2_CJSON_${version})
      gptimage2_add_specs(${version} lua-${version} 400 ${labels})
    else()
      gptimage2_skip(lua-${version} its-cjson-or-busted-is-not-installed
        lua-${version})
    endif()
  endforeach()
  foreach(version IN LISTS GPTIMAGE2_ABSENT_LUA)
    gptimage2_skip(lua-${version} its-headers-are-not-installed lua-${version})
  endforeach()
  if("5.4" IN_LIST GPTIMAGE2_LUA AND GPTIMAGE2_PROGRAM_5.4)
    if(GPTIMAGE2_SANITIZERS)
      gptimage2_add_specs(asan asan 600)
      gptimage2_add_specs(tsan tsan 600)
      gptimage2_add_specs(posix posix 400)
      gptimage2_add_valgrind_tests()
    endif()
  endif()
endfunction()

# Real programs that embed Lua, driven from outside by Lua 5.4.
function(gptimage2_add_host_tests)
  if(NOT GPTIMAGE2_BUSTED OR NOT GPTIMAGE2_HAVE_SANDBOX OR
      NOT "5.4" IN_LIST GPTIMAGE2_LUA)
    gptimage2_skip(hosts no-busted-no-sandbox-or-no-lua-5.4 hosts)
    return()
  endif()
  file(GLOB specs CONFIGURE_DEPENDS "${GPTIMAGE2_SPECS}/hosts/*_spec.lua")
  foreach(spec IN LISTS specs)
    get_filename_component(name "${spec}" NAME)
    string(REPLACE "_spec.lua" "" name "${name}")
    file(RELATIVE_PATH spec "${CMAKE_CURRENT_SOURCE_DIR}" "${spec}")
    add_test(NAME hosts/${name}
      COMMAND "${CMAKE_BINARY_DIR}/lua/5.4/lua" "${GPTIMAGE2_BUSTED}"
        --output=plainTerminal "${spec}"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(hosts/${name} PROPERTIES LABELS hosts TIMEOUT 600
      ENVIRONMENT "GPTIMAGE2_SPEC_BUILD=${CMAKE_BINARY_DIR}")
    gptimage2_keeps_busy(hosts/${name} 30)
  endforeach()
endfunction()

# Other systems, each from nothing, take minutes and a mirror: they are tried when
# asked for, -DGPTIMAGE2_ROOTS='trixie;sid;bookworm:i386', or by hand.
set(GPTIMAGE2_ROOTS "" CACHE STRING "Systems to try: <suite>[:<architecture>] ...")
function(gptimage2_add_root_tests)
  if(NOT GPTIMAGE2_ROOTS)
    gptimage2_skip(packaging-roots run-by-hand-spec/packaging/roots packaging)
  endif()
  foreach(root IN LISTS GPTIMAGE2_ROOTS)
    string(REPLACE ":" "-" name "${root}")
    add_test(NAME packaging-root-${name}
      COMMAND "${GPTIMAGE2_SPECS}/packaging/roots" ${root})
    set_tests_properties(packaging-root-${name} PROPERTIES
      LABELS packaging TIMEOUT 7200 SKIP_RETURN_CODE 77)
    gptimage2_keeps_busy(packaging-root-${name} 600)
  endforeach()
endfunction()

function(gptimage2_add_packaging_tests)
  set(run "${GPTIMAGE2_SPECS}/packaging")
  add_test(NAME packaging-version COMMAND "${run}/version")
  add_test(NAME packaging-exports
    COMMAND "${run}/exports" "${CMAKE_BINARY_DIR}/lua")
  set(tests packaging-version packaging-exports)
  add_test(NAME packaging-labels
    COMMAND "${run}/labels" "${CMAKE_BINARY_DIR}")
  list(APPEND tests packaging-labels)
  foreach(name cmake configure packages without-ledger)
    add_test(NAME packaging-${name} COMMAND "${run}/${name}")
    list(APPEND tests packaging-${name})
  endforeach()
  if(GPTIMAGE2_LDOC AND GPTIMAGE2_PROGRAM_5.4)
    add_test(NAME packaging-reference COMMAND "${run}/reference")
    list(APPEND tests packaging-reference)
  else()
    gptimage2_skip(packaging-reference ldoc-is-not-installed packaging)
  endif()
  if(GPTIMAGE2_LUAROCKS AND GPTIMAGE2_CJSON_5.4 AND GPTIMAGE2_CJSON_5.3)
    add_test(NAME packaging-order COMMAND "${run}/order")
    list(APPEND tests packaging-order)
  else()
    gptimage2_skip(packaging-order luarocks-or-lua-5.3-is-not-installed
      packaging)
  endif()
  foreach(version IN LISTS GPTIMAGE2_LUA)
    if(GPTIMAGE2_LUAROCKS AND GPTIMAGE2_CJSON_${version})
      add_test(NAME packaging-rocks-${version}
        COMMAND "${run}/run" ${version})
      list(APPEND tests packaging-rocks-${version})
    else()
      gptimage2_skip(packaging-rocks-${version}
        luarocks-or-cjson-is-not-installed packaging)
    endif()
  endforeach()
  set_tests_properties(${tests} PROPERTIES LABELS packaging TIMEOUT 600
    ENVIRONMENT "CCACHE_DIR=${CMAKE_BINARY_DIR}/tools/ccache")
  foreach(test IN LISTS tests)
    gptimage2_keeps_busy(${test} 30)
  endforeach()
endfunction()

# The short forms of the proofs; the long ones are run by hand.
function(gptimage2_add_proof name)
  add_test(NAME faults/${name}
    COMMAND "${GPTIMAGE2_SPECS}/faults/${name}_run" ${ARGN})
  set_tests_properties(faults/${name} PROPERTIES LABELS faults TIMEOUT 900
    ENVIRONMENT "GPTIMAGE2_SPEC_LUA=${CMAKE_BINARY_DIR}/lua/5.4/lua")
  gptimage2_keeps_busy(faults/${name} 60)
endfunction()

function(gptimage2_add_proofs)
  find_program(GPTIMAGE2_STRACE strace)
  mark_as_advanced(GPTIMAGE2_STRACE)
  if(NOT (GPTIMAGE2_HAVE_LEDGER AND GPTIMAGE2_HAVE_SANDBOX AND
      "5.4" IN_LIST GPTIMAGE2_LUA))
    gptimage2_skip(faults no-ledger-or-no-sandbox faults)
    return()
  endif()
  if(GPTIMAGE2_STRACE)
    gptimage2_add_proof(kill --short "${CMAKE_BINARY_DIR}")
    gptimage2_add_proof(calls --short "${CMAKE_BINARY_DIR}")
  else()
    gptimage2_skip(faults/kill strace-is-not-installed faults)
    gptimage2_skip(faults/calls strace-is-not-installed faults)
  endif()
  include(Faults)
  gptimage2_add_proof(alloc --short "${CMAKE_BINARY_DIR}")
  gptimage2_add_proof(chaos --short "${CMAKE_BINARY_DIR}")
  gptimage2_add_proof(matrix)
  gptimage2_add_proof(soak --short)
  gptimage2_add_proof(mutants --short)
  # Half of the time these wait.
  set_tests_properties(faults/alloc faults/chaos PROPERTIES PROCESSORS 2)
  # Their time limits are those of networks, not of a busy machine.
  gptimage2_runs_alone(faults/matrix)
  if(GPTIMAGE2_STRACE)
    gptimage2_runs_alone(faults/calls)
  endif()
endfunction()

add_custom_target(quick)
gptimage2_find(CMOCKA cmocka cmocka.h cmocka)
add_custom_target(c-tests-plain)
gptimage2_add_c_tests(plain c 180 c quick)
if(GPTIMAGE2_SANITIZERS)
  add_custom_target(c-tests-asan)
  add_custom_target(c-tests-tsan)
  add_custom_target(c-tests-posix)
  gptimage2_add_c_tests(asan asan/c 240 asan)
  gptimage2_add_c_tests(tsan tsan/c 240 tsan)
  gptimage2_add_c_tests(posix posix/c 180 posix)
endif()
add_dependencies(quick c-tests-plain)
if("5.4" IN_LIST GPTIMAGE2_LUA)
  add_dependencies(quick lua-5.4)
endif()
foreach(version IN LISTS GPTIMAGE2_LUA)
  gptimage2_lua_has(${version} cjson GPTIMAGE2_CJSON_${version})
endforeach()
gptimage2_add_spec_tests()
gptimage2_add_packaging_tests()
gptimage2_add_root_tests()
gptimage2_add_host_tests()
gptimage2_add_proofs()

add_test(NAME examples-quickstart
  COMMAND "${GPTIMAGE2_SPECS}/lib/quickstart.sh")
set_tests_properties(examples-quickstart PROPERTIES
  LABELS examples TIMEOUT 300)
