# What `spec/run bench` needs: the target `bench`, built only when asked for.
#
#   build/bench/meter.so   clocks and processes for the bench's Lua files
#   build/bench/floor      the same work in plain C on libcurl
#   build/bench/polls      what learned polls are worth, by calculation

if(NOT (GPTIMAGE2_CORE AND GPTIMAGE2_HAVE_SANDBOX AND
    "5.4" IN_LIST GPTIMAGE2_LUA))
  return()
endif()

gptimage2_find_lua(5.4 includes abi)
add_library(bench-meter MODULE EXCLUDE_FROM_ALL spec/bench/meter.c)
target_include_directories(bench-meter SYSTEM PRIVATE "${includes}")
target_link_libraries(bench-meter PRIVATE gptimage2_module)
# Lua looks it up by its name, which no header declares.
set_target_properties(bench-meter PROPERTIES
  PREFIX "" SUFFIX ".so" OUTPUT_NAME meter C_VISIBILITY_PRESET default
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")

add_executable(bench-floor EXCLUDE_FROM_ALL spec/bench/floor.c)
target_link_libraries(bench-floor PRIVATE gptimage2_settings gptimage2_curl
  "${GPTIMAGE2_CURL_LIBRARY}")
set_target_properties(bench-floor PROPERTIES
  OUTPUT_NAME floor RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")

add_executable(bench-polls EXCLUDE_FROM_ALL spec/bench/polls.c
  src/engine/polls/density.c src/engine/polls/durations.c
  src/engine/polls/durations_change.c src/engine/polls/durations_trend.c
  src/engine/polls/outlook.c
  src/engine/polls/poll_book.c src/engine/polls/poll_plan.c
  src/engine/polls/survival.c)
target_include_directories(bench-polls PRIVATE spec/c spec/c/polls)
target_link_libraries(bench-polls PRIVATE gptimage2_settings m)
set_target_properties(bench-polls PROPERTIES
  OUTPUT_NAME polls RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")

add_custom_target(bench)
add_dependencies(bench lua-5.4 bench-meter bench-floor bench-polls)
