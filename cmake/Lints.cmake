# The lints, one test a tool; spec/lib/lint.sh knows how each one is run.  What
# a tool finds fault with changes from version to version: those with a VERSION
# are skipped by name where theirs is another.

function(gptimage2_add_lint tool version)
  find_program(GPTIMAGE2_TOOL_${tool} ${tool}
    HINTS "${CMAKE_BINARY_DIR}/tools/node_modules/.bin")
  mark_as_advanced(GPTIMAGE2_TOOL_${tool})
  if(NOT GPTIMAGE2_TOOL_${tool})
    gptimage2_skip(lint-${tool} it-is-not-installed lint lint-${tool})
    return()
  endif()
  if(version)
    execute_process(COMMAND "${GPTIMAGE2_TOOL_${tool}}" --version
      OUTPUT_VARIABLE said ERROR_QUIET)
    string(REGEX MATCH "[0-9]+\\.[0-9.]+" found "${said}")
    if(NOT "${found}." MATCHES "^${version}\\.")
      gptimage2_skip(lint-${tool} it-is-${found}-not-${version}
        lint lint-${tool})
      return()
    endif()
  endif()
  add_test(NAME lint-${tool}
    COMMAND "${GPTIMAGE2_SPECS}/lib/lint.sh" ${tool}
      "${GPTIMAGE2_TOOL_${tool}}" "${CMAKE_BINARY_DIR}")
  set_tests_properties(lint-${tool} PROPERTIES
    LABELS "lint;lint-${tool};${ARGN}" TIMEOUT 600)
  gptimage2_keeps_busy(lint-${tool} 60)
endfunction()

gptimage2_add_lint(luacheck "" quick)
gptimage2_add_lint(stylua "")
gptimage2_add_lint(clang-format 14)
gptimage2_add_lint(clang-tidy 14)
gptimage2_add_lint(cppcheck 2.10)
gptimage2_add_lint(shellcheck 0.9)

# Who includes whom, and how large rooms and files are.
if(GPTIMAGE2_PROGRAM_5.4)
  add_test(NAME lint-rooms
    COMMAND "${GPTIMAGE2_PROGRAM_5.4}" "${GPTIMAGE2_SPECS}/lib/rooms.lua"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties(lint-rooms PROPERTIES LABELS "lint;lint-rooms;quick")
else()
  gptimage2_skip(lint-rooms lua-5.4-is-not-installed lint lint-rooms)
endif()

# clang-tidy reads the compile commands of one variant; every file is in it
# once.
foreach(target engine-plain service-plain core-5.4 sandbox-5.4)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS ON)
  endif()
endforeach()
foreach(name IN LISTS GPTIMAGE2_C_TESTS)
  if(TARGET c-plain-${name})
    set_target_properties(c-plain-${name} PROPERTIES EXPORT_COMPILE_COMMANDS ON)
  endif()
endforeach()
