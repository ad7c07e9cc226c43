# Finds what the modules are built with: Lua's headers, libcurl's headers and
# the name to open it by, the sandbox's libraries.
#
# Defines the targets gptimage2_curl and gptimage2_sandbox_libs, the variable
# GPTIMAGE2_HAVE_SANDBOX, and gptimage2_find_lua().

find_package(PkgConfig)

# Sets OUT_INCLUDES to the include folders of Lua VERSION (5.1 … 5.4, jit) and
# OUT_ABI to the version in the paths Lua looks in (5.1 for jit).
function(gptimage2_find_lua version out_includes out_abi)
  string(REPLACE "." "" short "${version}")
  if(version STREQUAL "jit")
    set(abi 5.1)
    set(names luajit)
  else()
    set(abi "${version}")
    set(names lua${version} lua-${version} lua${short} lua)
  endif()
  string(REPLACE "." "0" wanted "${abi}")
  foreach(name IN LISTS names)
    pkg_check_modules(LUA_PC_${name} QUIET ${name})
    find_path(LUA_INCLUDE_${name} lua.h NO_DEFAULT_PATH
      PATHS ${LUA_PC_${name}_INCLUDEDIR} ${LUA_PC_${name}_INCLUDE_DIRS})
    mark_as_advanced(LUA_INCLUDE_${name})
    set(found "${LUA_INCLUDE_${name}}")
    if(found)
      file(STRINGS "${found}/lua.h" line
        REGEX "define[ \t]+LUA_VERSION_NUM[ \t]+${wanted}")
      if(line)
        set(${out_includes} "${found}" PARENT_SCOPE)
        set(${out_abi} "${abi}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  message(FATAL_ERROR "The headers of Lua ${version} were not found: "
    "pkg-config knows none of ${names}.")
endfunction()

# libcurl is opened at run time, by the name the dynamic linker knows it by.
function(gptimage2_curl_soname library out_name)
  find_program(GPTIMAGE2_READELF NAMES ${CMAKE_READELF} readelf)
  mark_as_advanced(GPTIMAGE2_READELF)
  get_filename_component(real "${library}" REALPATH)
  set(name libcurl.so.4)
  if(GPTIMAGE2_READELF)
    execute_process(COMMAND "${GPTIMAGE2_READELF}" -d "${real}"
      OUTPUT_VARIABLE dynamic ERROR_QUIET)
    if(dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
      set(name "${CMAKE_MATCH_1}")
    endif()
  elseif(APPLE)
    set(name libcurl.4.dylib)
  endif()
  set(${out_name} "${name}" PARENT_SCOPE)
endfunction()

# CURLOPT_QUICK_EXIT, without which closing may wait for a name server, came
# with 7.87.
function(gptimage2_check_curl include)
  set(header "${include}/curl/curlver.h")
  set(version "of an unknown version")
  if(EXISTS "${header}")
    file(STRINGS "${header}" line REGEX "define[ \t]+LIBCURL_VERSION[ \t]")
    if(line MATCHES "\"([0-9.]+)")
      set(version "${CMAKE_MATCH_1}")
    endif()
  endif()
  if(NOT version VERSION_GREATER_EQUAL 7.87)
    message(FATAL_ERROR "The headers of libcurl 7.87.0 or newer are needed; "
      "those in ${include} are ${version}.")
  endif()
endfunction()

function(gptimage2_find_curl)
  if(NOT CURL_INCDIR AND PKG_CONFIG_FOUND)
    pkg_check_modules(CURL_PC QUIET libcurl)
  endif()
  find_path(GPTIMAGE2_CURL_INCLUDE curl/curl.h
    HINTS ${CURL_INCDIR} ${CURL_PC_INCLUDEDIR})
  find_library(GPTIMAGE2_CURL_LIBRARY curl
    HINTS ${CURL_LIBDIR} ${CURL_PC_LIBDIR})
  mark_as_advanced(GPTIMAGE2_CURL_INCLUDE GPTIMAGE2_CURL_LIBRARY)
  if(NOT GPTIMAGE2_CURL_INCLUDE OR NOT GPTIMAGE2_CURL_LIBRARY)
    message(FATAL_ERROR "libcurl and its headers were not found. "
      "On Debian: apt install libcurl4-openssl-dev")
  endif()
  gptimage2_check_curl("${GPTIMAGE2_CURL_INCLUDE}")
  gptimage2_curl_soname("${GPTIMAGE2_CURL_LIBRARY}" soname)
  message(STATUS "libcurl: ${GPTIMAGE2_CURL_LIBRARY}, opened as ${soname}")
  add_library(gptimage2_curl INTERFACE)
  target_include_directories(gptimage2_curl SYSTEM INTERFACE
    "${GPTIMAGE2_CURL_INCLUDE}")
  target_compile_definitions(gptimage2_curl INTERFACE
    GPTIMAGE2_LIBCURL="${soname}")
  # A libcurl outside the system's folders is found through the module's own
  # run path, which dlopen honours too.
  get_filename_component(folder "${GPTIMAGE2_CURL_LIBRARY}" DIRECTORY)
  get_filename_component(folder "${folder}" REALPATH)
  set(system "${CMAKE_C_IMPLICIT_LINK_DIRECTORIES}")
  list(TRANSFORM system REPLACE "^/lib" "/usr/lib")
  if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES AND
      NOT folder IN_LIST system)
    set(GPTIMAGE2_CURL_RPATH "${folder}" PARENT_SCOPE)
  endif()
endfunction()

function(gptimage2_find_sandbox_libs)
  set(GPTIMAGE2_HAVE_SANDBOX OFF PARENT_SCOPE)
  if(GPTIMAGE2_SANDBOX STREQUAL "AUTO")
    set(SANDBOX_PC_FOUND OFF)
    if(PKG_CONFIG_FOUND)
      pkg_check_modules(SANDBOX_PC QUIET IMPORTED_TARGET
        libmicrohttpd jansson cairo gnutls)
    endif()
    if(NOT SANDBOX_PC_FOUND)
      message(STATUS "The sandbox is not built: it needs libmicrohttpd, "
        "jansson, cairo and gnutls")
      return()
    endif()
  elseif(GPTIMAGE2_SANDBOX)
    if(NOT PKG_CONFIG_FOUND)
      message(FATAL_ERROR "The sandbox's libraries are found by pkg-config, "
        "which is not installed")
    endif()
    pkg_check_modules(SANDBOX_PC REQUIRED IMPORTED_TARGET
      libmicrohttpd jansson cairo gnutls)
  else()
    return()
  endif()
  set(GPTIMAGE2_HAVE_SANDBOX ON PARENT_SCOPE)
  add_library(gptimage2_sandbox_libs INTERFACE)
  target_link_libraries(gptimage2_sandbox_libs INTERFACE PkgConfig::SANDBOX_PC)
endfunction()

# The ledger's library.  Without it the module works, but for the ledger.
function(gptimage2_find_sqlite)
  add_library(gptimage2_sqlite INTERFACE)
  set(GPTIMAGE2_HAVE_SQLITE OFF PARENT_SCOPE)
  if(NOT GPTIMAGE2_SQLITE)
    return()
  endif()
  find_path(GPTIMAGE2_SQLITE_INCLUDE sqlite3.h HINTS ${SQLITE_INCDIR})
  find_library(GPTIMAGE2_SQLITE_LIBRARY sqlite3 HINTS ${SQLITE_LIBDIR})
  mark_as_advanced(GPTIMAGE2_SQLITE_INCLUDE GPTIMAGE2_SQLITE_LIBRARY)
  if(NOT GPTIMAGE2_SQLITE_INCLUDE OR NOT GPTIMAGE2_SQLITE_LIBRARY)
    if(GPTIMAGE2_SQLITE STREQUAL "AUTO")
      message(STATUS "The ledger is not built: it needs SQLite")
      return()
    endif()
    message(FATAL_ERROR "SQLite and its headers were not found. "
      "On Debian: apt install libsqlite3-dev")
  endif()
  target_include_directories(gptimage2_sqlite SYSTEM INTERFACE
    "${GPTIMAGE2_SQLITE_INCLUDE}")
  target_link_libraries(gptimage2_sqlite INTERFACE
    "${GPTIMAGE2_SQLITE_LIBRARY}")
  set(GPTIMAGE2_HAVE_SQLITE ON PARENT_SCOPE)
endfunction()

if(GPTIMAGE2_CORE)
  gptimage2_find_curl()
  gptimage2_find_sqlite()
  if(GPTIMAGE2_HAVE_SQLITE)
    list(APPEND GPTIMAGE2_ENGINE_SOURCES ${GPTIMAGE2_LEDGER_SOURCES})
  else()
    list(APPEND GPTIMAGE2_ENGINE_SOURCES src/engine/ledger_none.c)
  endif()
endif()
gptimage2_find_sandbox_libs()
