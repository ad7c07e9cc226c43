# What every target is compiled and linked with.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS OFF)

# Which warnings there are is a matter of the compiler's version: AUTO makes
# errors of those of the compilers that the project is developed with.
function(gptimage2_warnings_are_errors id version out)
  set(known GNU-12 Clang-14)
  string(REGEX MATCH "^[0-9]+" version "${version}")
  if(NOT GPTIMAGE2_WERROR STREQUAL "AUTO")
    set(${out} ${GPTIMAGE2_WERROR} PARENT_SCOPE)
  elseif("${id}-${version}" IN_LIST known)
    set(${out} ON PARENT_SCOPE)
  else()
    set(${out} OFF PARENT_SCOPE)
  endif()
endfunction()
gptimage2_warnings_are_errors(
  "${CMAKE_C_COMPILER_ID}" "${CMAKE_C_COMPILER_VERSION}" werror)

add_library(gptimage2_settings INTERFACE)
# With 32 bits, too, files may be large, and have large numbers.
target_compile_definitions(gptimage2_settings INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_include_directories(gptimage2_settings INTERFACE
  "${CMAKE_CURRENT_SOURCE_DIR}/src")
target_compile_options(gptimage2_settings INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
  -Wconversion
  $<$<BOOL:${werror}>:-Werror>
  -Wno-error=deprecated-declarations
  $<$<BOOL:${GPTIMAGE2_TESTS}>:-g>)
# The modules' own sources; what is made for tests may know more.  With the POSIX
# ways the system's headers show them nothing else (see base/platform.h).
add_library(gptimage2_posix INTERFACE)
target_compile_options(gptimage2_posix INTERFACE
  -U_GNU_SOURCE -D_XOPEN_SOURCE=700 -DGPTIMAGE2_POSIX)
add_library(gptimage2_system INTERFACE)
if(GPTIMAGE2_POSIX)
  target_link_libraries(gptimage2_system INTERFACE gptimage2_posix)
elseif(APPLE)
  target_compile_definitions(gptimage2_system INTERFACE _DARWIN_C_SOURCE)
endif()
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
target_link_libraries(gptimage2_settings INTERFACE
  Threads::Threads ${CMAKE_DL_LIBS} m)

# A module stays mapped after lua_close (a thread of libcurl's may still be in
# it) and is bound at load time, so that a missing symbol is seen at once.
add_library(gptimage2_module INTERFACE)
target_link_libraries(gptimage2_module INTERFACE gptimage2_settings)
if(APPLE)
  target_link_options(gptimage2_module INTERFACE -undefined dynamic_lookup)
else()
  target_link_options(gptimage2_module INTERFACE -Wl,-z,nodelete -Wl,-z,now)
endif()
