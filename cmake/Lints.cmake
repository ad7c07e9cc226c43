# The lints, one test a tool; spec/lib/lint.sh knows how each one is run.

function(gptimage2_add_lint tool)
  find_program(GPTIMAGE2_TOOL_${tool} ${tool}
    HINTS "${CMAKE_BINARY_DIR}/tools/node_modules/.bin")
  mark_as_advanced(GPTIMAGE2_TOOL_${tool})
  if(NOT GPTIMAGE2_TOOL_${tool})
    gptimage2_skip(lint-${tool} it-is-not-installed lint lint-${tool})
    return()
  endif()
  add_test(NAME lint-${tool}
    COMMAND "${GPTIMAGE2_SPECS}/lib/lint.sh" ${tool}
      "${GPTIMAGE2_TOOL_${tool}}" "${CMAKE_BINARY_DIR}")
  set_tests_properties(lint-${tool} PROPERTIES
    LABELS "lint;lint-${tool};${ARGN}" TIMEOUT 600)
  gptimage2_keeps_busy(lint-${tool} 60)
endfunction()

gptimage2_add_lint(luacheck quick)
gptimage2_add_lint(stylua)
gptimage2_add_lint(clang-format)
gptimage2_add_lint(clang-tidy)
gptimage2_add_lint(cppcheck)
gptimage2_add_lint(shellcheck)

# clang-tidy reads the compile commands of one variant; every file is in it
# once.
foreach(target engine-plain service-plain core-5.4 sandbox-5.4)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS ON)
  endif()
endforeach()
foreach(name IN LISTS GPTIMAGE2_C_TESTS)
  set_target_properties(c-plain-${name} PROPERTIES EXPORT_COMPILE_COMMANDS ON)
endforeach()
