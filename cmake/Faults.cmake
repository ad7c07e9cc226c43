# What the proofs under spec/faults/ need besides the modules.
#
#   build/faults/alloc-host    a host program whose memory runs out
#   build/faults/tunnel        a slow way to a server

if(NOT (GPTIMAGE2_CORE AND GPTIMAGE2_HAVE_SANDBOX AND GPTIMAGE2_HAVE_LEDGER AND
    "5.4" IN_LIST GPTIMAGE2_LUA))
  return()
endif()

gptimage2_find_lua(5.4 includes abi)
find_library(GPTIMAGE2_LUA_LIBRARY NAMES lua5.4 lua-5.4 lua54)
mark_as_advanced(GPTIMAGE2_LUA_LIBRARY)
if(NOT GPTIMAGE2_LUA_LIBRARY)
  return()
endif()

add_executable(faults-alloc-host
  spec/faults/alloc/host.c
  spec/faults/alloc/pool.c)
target_include_directories(faults-alloc-host SYSTEM PRIVATE "${includes}")
# Its malloc must be nobody's builtin, and must be found by all others.
target_compile_options(faults-alloc-host PRIVATE -fno-builtin)
target_link_libraries(faults-alloc-host PRIVATE gptimage2_settings
  gptimage2_curl "${GPTIMAGE2_CURL_LIBRARY}" gptimage2_ledger_libs
  "${GPTIMAGE2_LUA_LIBRARY}")
set_target_properties(faults-alloc-host PROPERTIES
  ENABLE_EXPORTS ON OUTPUT_NAME alloc-host
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/faults")

find_package(Threads REQUIRED)
add_executable(faults-tunnel spec/faults/chaos/tunnel.c)
target_link_libraries(faults-tunnel PRIVATE gptimage2_settings Threads::Threads)
set_target_properties(faults-tunnel PROPERTIES
  OUTPUT_NAME tunnel RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/faults")

add_custom_target(faults)
add_dependencies(faults lua-5.4 faults-alloc-host faults-tunnel)
