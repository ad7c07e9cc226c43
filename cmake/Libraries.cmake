# Finds what the modules are built with: Lua's headers, libcurl's headers and
# the name to open it by, the sandbox's libraries.  pkg-config is asked where it
# is there, and nothing depends on it.
#
# Defines the targets gptimage2_curl and gptimage2_sandbox_libs, the variable
# GPTIMAGE2_HAVE_SANDBOX, and gptimage2_find_lua().

find_package(PkgConfig QUIET)

# Sets OUT to the folders in which pkg-config knows the headers of NAME.
function(gptimage2_ask_pkg_config prefix name out)
  set(folders "")
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${prefix} QUIET ${name})
    set(folders ${${prefix}_INCLUDEDIR} ${${prefix}_INCLUDE_DIRS})
  endif()
  set(${out} "${folders}" PARENT_SCOPE)
endfunction()

# Sets OUT to whether the header HEADER (lua.h) is that of Lua VERSION (5.1 …).
function(gptimage2_is_lua header version out)
  string(REPLACE "." ";" numbers "${version}")
  list(GET numbers 0 major)
  list(GET numbers 1 minor)
  set(define "define[ \t]+LUA_VERSION")
  # One number, or, from 5.5 on, made of two.
  file(STRINGS "${header}" number REGEX "${define}_NUM[ \t]+${major}0${minor}")
  file(STRINGS "${header}" majors REGEX "${define}_MAJOR_N[ \t]+${major}")
  file(STRINGS "${header}" minors REGEX "${define}_MINOR_N[ \t]+${minor}")
  set(${out} OFF PARENT_SCOPE)
  if(number OR (majors AND minors))
    set(${out} ON PARENT_SCOPE)
  endif()
endfunction()

# Sets OUT_INCLUDES to the include folders of Lua VERSION (5.1 … 5.5, jit) and
# OUT_ABI to the version in the paths Lua looks in (5.1 for jit).  Without them
# this ends, but for the argument OPTIONAL: OUT_INCLUDES is empty then.
function(gptimage2_find_lua version out_includes out_abi)
  string(REPLACE "." "" short "${version}")
  if(version STREQUAL "jit")
    set(abi 5.1)
    set(names luajit)
    set(folders luajit-2.1 luajit-2.0 luajit)
  else()
    set(abi "${version}")
    set(names lua${version} lua-${version} lua${short} lua)
    set(folders lua${version} lua-${version} lua${short} lua/${version})
  endif()
  foreach(name IN LISTS names ITEMS without_pkg_config)
    if(name STREQUAL "without_pkg_config")
      find_path(LUA_INCLUDE_PLAIN_${version} lua.h PATH_SUFFIXES ${folders})
      mark_as_advanced(LUA_INCLUDE_PLAIN_${version})
      set(found "${LUA_INCLUDE_PLAIN_${version}}")
    else()
      gptimage2_ask_pkg_config(LUA_PC_${name} ${name} known)
      find_path(LUA_INCLUDE_${name} lua.h NO_DEFAULT_PATH PATHS ${known})
      mark_as_advanced(LUA_INCLUDE_${name})
      set(found "${LUA_INCLUDE_${name}}")
    endif()
    if(found)
      gptimage2_is_lua("${found}/lua.h" "${abi}" fits)
      if(fits AND (NOT version STREQUAL "jit" OR EXISTS "${found}/luajit.h"))
        set(${out_includes} "${found}" PARENT_SCOPE)
        set(${out_abi} "${abi}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  set(${out_includes} "" PARENT_SCOPE)
  if(NOT "OPTIONAL" IN_LIST ARGN)
    message(FATAL_ERROR "The headers of Lua ${version} (lua.h) were not found: "
      "neither by pkg-config nor in the folders ${folders}.")
  endif()
endfunction()

# libcurl is opened at run time, by the name the dynamic linker knows it by.
function(gptimage2_curl_soname library out_name)
  find_program(GPTIMAGE2_READELF NAMES ${CMAKE_READELF} readelf)
  mark_as_advanced(GPTIMAGE2_READELF)
  get_filename_component(real "${library}" REALPATH)
  set(name libcurl.so.4)
  if(APPLE) # whose libraries no readelf can read
    set(name libcurl.4.dylib)
  elseif(GPTIMAGE2_READELF)
    execute_process(COMMAND "${GPTIMAGE2_READELF}" -d "${real}"
      OUTPUT_VARIABLE dynamic ERROR_QUIET)
    if(dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
      set(name "${CMAKE_MATCH_1}")
    endif()
  endif()
  set(${out_name} "${name}" PARENT_SCOPE)
endfunction()

# The oldest that will do is stated where it is looked at again at run time.
function(gptimage2_check_curl include)
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/src/engine/loop/curl_lib.h" lines
    REGEX "#define CURL_LIB_OLDEST_(MAJOR|MINOR) ")
  string(REGEX REPLACE "[^0-9]*([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" oldest
    "${lines}")
  set(header "${include}/curl/curlver.h")
  set(version "of an unknown version")
  if(EXISTS "${header}")
    file(STRINGS "${header}" line REGEX "define[ \t]+LIBCURL_VERSION[ \t]")
    if(line MATCHES "\"([0-9.]+)")
      set(version "${CMAKE_MATCH_1}")
    endif()
  endif()
  if(NOT version VERSION_GREATER_EQUAL oldest)
    message(FATAL_ERROR "The headers of libcurl ${oldest} or newer are needed; "
      "those in ${include} are ${version}.")
  endif()
endfunction()

# Finds the library LIBRARY and its HEADER, as GPTIMAGE2_<name>_LIBRARY and
# GPTIMAGE2_<name>_INCLUDE: first in the folders that the variables
# <name>_INCDIR and <name>_LIBDIR tell (LuaRocks has them from <name>_DIR), then
# where pkg-config knows MODULE, then where the system has such things.
function(gptimage2_find name library header module)
  set(hints "${${name}_INCDIR}|${${name}_LIBDIR}")
  # What an earlier run found elsewhere is not kept.
  if(DEFINED GPTIMAGE2_${name}_HINTS AND
      NOT "${GPTIMAGE2_${name}_HINTS}" STREQUAL hints)
    unset(GPTIMAGE2_${name}_INCLUDE CACHE)
    unset(GPTIMAGE2_${name}_LIBRARY CACHE)
  endif()
  set(GPTIMAGE2_${name}_HINTS "${hints}" CACHE INTERNAL "found with these")
  set(known "")
  if(NOT ${name}_INCDIR)
    gptimage2_ask_pkg_config(${name}_PC ${module} known)
  endif()
  find_path(GPTIMAGE2_${name}_INCLUDE ${header}
    HINTS ${${name}_INCDIR} ${known} PATH_SUFFIXES ${library})
  find_library(GPTIMAGE2_${name}_LIBRARY ${library}
    HINTS ${${name}_LIBDIR} ${${name}_PC_LIBDIR})
  mark_as_advanced(GPTIMAGE2_${name}_INCLUDE GPTIMAGE2_${name}_LIBRARY)
endfunction()

function(gptimage2_find_curl)
  gptimage2_find(CURL curl curl/curl.h libcurl)
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
  # A libcurl outside the system's folders is opened there; should it have
  # moved, through the module's own run path, which some systems' dlopen honours.
  get_filename_component(folder "${GPTIMAGE2_CURL_LIBRARY}" DIRECTORY)
  get_filename_component(folder "${folder}" REALPATH)
  set(system "${CMAKE_C_IMPLICIT_LINK_DIRECTORIES}")
  list(TRANSFORM system REPLACE "^/lib" "/usr/lib")
  if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES AND
      NOT folder IN_LIST system)
    set(GPTIMAGE2_CURL_RPATH "${folder}" PARENT_SCOPE)
    target_compile_definitions(gptimage2_curl INTERFACE
      GPTIMAGE2_LIBCURL_FOLDER="${folder}")
  endif()
endfunction()

# The sandbox's libraries, each with its header and pkg-config's name.
function(gptimage2_find_sandbox_libs)
  set(GPTIMAGE2_HAVE_SANDBOX OFF PARENT_SCOPE)
  if(NOT GPTIMAGE2_SANDBOX)
    return()
  endif()
  gptimage2_find(MICROHTTPD microhttpd microhttpd.h libmicrohttpd)
  gptimage2_find(JANSSON jansson jansson.h jansson)
  gptimage2_find(CAIRO cairo cairo.h cairo)
  gptimage2_find(GNUTLS gnutls gnutls/gnutls.h gnutls)
  set(lacking "")
  add_library(gptimage2_sandbox_libs INTERFACE)
  foreach(name MICROHTTPD JANSSON CAIRO GNUTLS)
    if(NOT GPTIMAGE2_${name}_INCLUDE OR NOT GPTIMAGE2_${name}_LIBRARY)
      string(TOLOWER ${name} name)
      list(APPEND lacking ${name})
      continue()
    endif()
    target_include_directories(gptimage2_sandbox_libs SYSTEM INTERFACE
      "${GPTIMAGE2_${name}_INCLUDE}")
    target_link_libraries(gptimage2_sandbox_libs INTERFACE
      "${GPTIMAGE2_${name}_LIBRARY}")
  endforeach()
  if(NOT lacking)
    set(GPTIMAGE2_HAVE_SANDBOX ON PARENT_SCOPE)
    return()
  endif()
  list(JOIN lacking ", " lacking)
  set(said "it needs libmicrohttpd, jansson, cairo and gnutls with their \
headers; not found: ${lacking}")
  if(GPTIMAGE2_SANDBOX STREQUAL "AUTO")
    message(STATUS "The sandbox is not built: ${said}")
  else()
    message(FATAL_ERROR "The sandbox cannot be built: ${said}")
  endif()
endfunction()

# One library of the ledger's, with its header; what is missing is added to
# the list `missing` of the caller.
macro(gptimage2_find_ledger_lib name library header pc package)
  gptimage2_find(${name} ${library} ${header} ${pc})
  if(GPTIMAGE2_${name}_INCLUDE AND GPTIMAGE2_${name}_LIBRARY)
    list(APPEND includes "${GPTIMAGE2_${name}_INCLUDE}")
    list(APPEND libraries "${GPTIMAGE2_${name}_LIBRARY}")
  else()
    list(APPEND missing "${package}")
  endif()
endmacro()

# The ledger's libraries.  Without them the module works, but for the ledger;
# then GPTIMAGE2_LEDGER_MISSING says why.
function(gptimage2_find_ledger_libs)
  add_library(gptimage2_ledger_libs INTERFACE)
  set(GPTIMAGE2_HAVE_LEDGER OFF PARENT_SCOPE)
  if(NOT GPTIMAGE2_LEDGER)
    set(GPTIMAGE2_LEDGER_MISSING "-DGPTIMAGE2_LEDGER=OFF" PARENT_SCOPE)
    return()
  endif()
  gptimage2_find_ledger_lib(SQLITE sqlite3 sqlite3.h sqlite3
    "SQLite (on Debian: libsqlite3-dev)")
  gptimage2_find_ledger_lib(SODIUM sodium sodium.h libsodium
    "libsodium (on Debian: libsodium-dev)")
  if(missing)
    list(JOIN missing " and " missing)
    if(NOT GPTIMAGE2_LEDGER STREQUAL "AUTO")
      message(FATAL_ERROR "The ledger needs ${missing}")
    endif()
    message(WARNING "The ledger is not built: it needs ${missing}")
    set(GPTIMAGE2_LEDGER_MISSING "${missing}" PARENT_SCOPE)
    return()
  endif()
  target_include_directories(gptimage2_ledger_libs SYSTEM INTERFACE ${includes})
  target_link_libraries(gptimage2_ledger_libs INTERFACE ${libraries})
  set(GPTIMAGE2_LEDGER_INCLUDES "${includes}" PARENT_SCOPE)
  set(GPTIMAGE2_LEDGER_LIBRARIES "${libraries}" PARENT_SCOPE)
  set(GPTIMAGE2_HAVE_LEDGER ON PARENT_SCOPE)
endfunction()

if(GPTIMAGE2_CORE)
  gptimage2_find_curl()
  gptimage2_find_ledger_libs()
  if(GPTIMAGE2_HAVE_LEDGER)
    list(APPEND GPTIMAGE2_ENGINE_SOURCES ${GPTIMAGE2_LEDGER_SOURCES})
  else()
    set(none src/engine/ledger/ledger_none.c src/engine/store/digest_none.c)
    list(APPEND GPTIMAGE2_ENGINE_SOURCES ${none})
    set_source_files_properties(${none} PROPERTIES
      COMPILE_DEFINITIONS "GPTIMAGE2_LEDGER_MISSING=\"${GPTIMAGE2_LEDGER_MISSING}\"")
  endif()
endif()
gptimage2_find_sandbox_libs()
