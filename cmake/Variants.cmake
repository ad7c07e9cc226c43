# One variant is the modules for one Lua version, with or without a
# sanitizer, in build/lua/<variant>/gptimage2/.  The parts without Lua in them
# (the engine, the sandbox's service) are compiled once for each sanitizer.
#
#   gptimage2_add_lua(5.4)              a variant, installed by cmake --install
#   gptimage2_add_sanitizer(asan …)     a variant for the tests, on Lua 5.4
#   gptimage2_add_posix()               the same, with nothing but POSIX
#   gptimage2_add_rock()                what LuaRocks asks for
#
# Each adds the targets core-<variant>, sandbox-<variant> and lua-<variant>
# (both of them).

# The object libraries engine-<flavour> and service-<flavour>.
function(gptimage2_add_flavour flavour)
  add_library(gptimage2_flavour_${flavour} INTERFACE)
  set(system gptimage2_system)
  if(flavour STREQUAL "posix")
    set(system gptimage2_posix)
  elseif(ARGN)
    set(options ${ARGN} -g -O1 -UNDEBUG -fno-omit-frame-pointer)
    target_compile_options(gptimage2_flavour_${flavour} INTERFACE ${options})
    target_link_options(gptimage2_flavour_${flavour} INTERFACE ${ARGN})
  endif()
  if(GPTIMAGE2_CORE)
    add_library(engine-${flavour} OBJECT ${GPTIMAGE2_ENGINE_SOURCES})
    target_link_libraries(engine-${flavour} PRIVATE
      gptimage2_settings gptimage2_curl gptimage2_ledger_libs
      gptimage2_flavour_${flavour} ${system})
  endif()
  if(GPTIMAGE2_HAVE_SANDBOX)
    add_library(service-${flavour} OBJECT ${GPTIMAGE2_SANDBOX_SOURCES})
    target_link_libraries(service-${flavour} PRIVATE gptimage2_settings
      gptimage2_sandbox_libs gptimage2_flavour_${flavour} ${system})
  endif()
endfunction()

function(gptimage2_set_module target name variant flavour includes)
  target_include_directories(${target} SYSTEM PRIVATE ${includes})
  target_link_libraries(${target} PRIVATE
    gptimage2_module gptimage2_flavour_${flavour})
  set_target_properties(${target} PROPERTIES
    PREFIX ""
    SUFFIX ".so"
    OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY
      "${CMAKE_BINARY_DIR}/lua/${variant}/gptimage2"
    INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# The modules of one variant.
function(gptimage2_add_variant variant flavour includes)
  add_custom_target(lua-${variant})
  set(system gptimage2_system)
  if(flavour STREQUAL "posix")
    set(system gptimage2_posix)
  endif()
  if(GPTIMAGE2_CORE)
    add_library(core-${variant} MODULE ${GPTIMAGE2_BINDING_SOURCES}
      $<TARGET_OBJECTS:engine-${flavour}>)
    gptimage2_set_module(core-${variant} core ${variant} ${flavour}
      "${includes}")
    # The headers of both are needed by what the engine's headers include.
    target_link_libraries(core-${variant} PRIVATE
      gptimage2_curl gptimage2_ledger_libs ${system})
    set_target_properties(core-${variant} PROPERTIES
      BUILD_RPATH "${GPTIMAGE2_CURL_RPATH}"
      INSTALL_RPATH "${GPTIMAGE2_CURL_RPATH}")
    add_dependencies(lua-${variant} core-${variant})
  endif()
  if(GPTIMAGE2_HAVE_SANDBOX)
    add_library(sandbox-${variant} MODULE
      ${GPTIMAGE2_SANDBOX_BINDING_SOURCES}
      $<TARGET_OBJECTS:service-${flavour}>)
    gptimage2_set_module(sandbox-${variant} sandbox ${variant} ${flavour}
      "${includes}")
    target_link_libraries(sandbox-${variant} PRIVATE
      gptimage2_sandbox_libs ${system})
    add_dependencies(lua-${variant} sandbox-${variant})
  endif()
  if(GPTIMAGE2_TESTS)
    gptimage2_add_spec_host(${variant} ${flavour} "${includes}")
  endif()
endfunction()

# spec.host, what specs need of the system, beside the variant's modules.
function(gptimage2_add_spec_host variant flavour includes)
  add_library(spec-host-${variant} MODULE spec/helpers/host.c)
  target_include_directories(spec-host-${variant} SYSTEM PRIVATE ${includes})
  target_link_libraries(spec-host-${variant} PRIVATE
    gptimage2_module gptimage2_flavour_${flavour})
  # Lua looks it up by its name, which no header declares.
  set_target_properties(spec-host-${variant} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME host C_VISIBILITY_PRESET default
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lua/${variant}/spec")
  add_dependencies(lua-${variant} spec-host-${variant})
  foreach(helper far_disk no_lock short slow_dns slow_start)
    if(NOT TARGET ${helper})
      add_library(${helper} MODULE spec/helpers/${helper}.c)
      target_link_libraries(${helper} PRIVATE gptimage2_settings)
      set_target_properties(${helper} PROPERTIES
        PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET default
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tools")
    endif()
    add_dependencies(lua-${variant} ${helper})
  endforeach()
  gptimage2_add_http2_server()
  if(TARGET http2-server)
    add_dependencies(lua-${variant} http2-server)
  endif()
endfunction()

# The HTTP/2 server of the specs, where nghttp2 is there; they skip it by name
# elsewhere.
function(gptimage2_add_http2_server)
  if(TARGET http2-server OR NOT PKG_CONFIG_FOUND)
    return()
  endif()
  pkg_check_modules(HTTP2_PC QUIET IMPORTED_TARGET libnghttp2 gnutls)
  if(NOT HTTP2_PC_FOUND)
    return()
  endif()
  add_executable(http2-server spec/lib/http2/server.c
    spec/lib/http2/session.c src/sandbox/server/certificate.c
    src/engine/base/platform.c)
  target_link_libraries(http2-server PRIVATE
    gptimage2_settings PkgConfig::HTTP2_PC)
  set_target_properties(http2-server PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tools")
endfunction()

# build/lua/<version>/exit-host, where this Lua can be linked with.
function(gptimage2_add_exit_host version includes)
  string(REPLACE "." "" short "${version}")
  set(names lua${version} lua-${version} lua${short})
  if(version STREQUAL "jit")
    set(names luajit-5.1)
  endif()
  find_library(GPTIMAGE2_LUA_LIBRARY_${version} NAMES ${names})
  mark_as_advanced(GPTIMAGE2_LUA_LIBRARY_${version})
  if(NOT GPTIMAGE2_LUA_LIBRARY_${version})
    return()
  endif()
  add_executable(exit-host-${version} spec/helpers/exit_host.c)
  target_include_directories(exit-host-${version} SYSTEM PRIVATE ${includes})
  target_link_libraries(exit-host-${version} PRIVATE gptimage2_settings
    "${GPTIMAGE2_LUA_LIBRARY_${version}}")
  set_target_properties(exit-host-${version} PROPERTIES
    OUTPUT_NAME exit-host
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lua/${version}")
  add_dependencies(lua-${version} exit-host-${version})
endfunction()

# Installs one variant: C modules under LIBDIR, Lua files under LUADIR.
function(gptimage2_install_variant variant libdir luadir)
  if(GPTIMAGE2_CORE)
    install(TARGETS core-${variant} LIBRARY DESTINATION "${libdir}/gptimage2")
    install(DIRECTORY lua/gptimage2 DESTINATION "${luadir}"
      FILES_MATCHING PATTERN "*.lua")
  endif()
  if(GPTIMAGE2_HAVE_SANDBOX)
    install(TARGETS sandbox-${variant}
      LIBRARY DESTINATION "${libdir}/gptimage2")
  endif()
endfunction()

# The program gptimage2 into BINDIR, started by the interpreter LUA.
function(gptimage2_install_program bindir lua)
  if(NOT GPTIMAGE2_CORE)
    return()
  endif()
  set(GPTIMAGE2_BIN_LUA "${lua}")
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/bin/gptimage2.in"
    "${CMAKE_BINARY_DIR}/bin/gptimage2" @ONLY)
  file(CHMOD "${CMAKE_BINARY_DIR}/bin/gptimage2" PERMISSIONS OWNER_READ
    OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  install(PROGRAMS "${CMAKE_BINARY_DIR}/bin/gptimage2" DESTINATION "${bindir}")
endfunction()

# The program's manual page, and what shells complete it with: made by
# spec/packaging/program.
function(gptimage2_install_shares)
  set(share "${CMAKE_CURRENT_SOURCE_DIR}/bin/share")
  install(FILES "${share}/gptimage2.1" DESTINATION share/man/man1)
  install(FILES "${share}/gptimage2.bash" RENAME gptimage2
    DESTINATION share/bash-completion/completions)
  install(FILES "${share}/_gptimage2" DESTINATION share/zsh/site-functions)
  install(FILES "${share}/gptimage2.fish"
    DESTINATION share/fish/vendor_completions.d)
endfunction()

# The same for all Luas of this build: the newest of them starts it.
function(gptimage2_install_program_of_all)
  foreach(version 5.5 5.4 5.3 5.2 jit 5.1)
    if(version IN_LIST GPTIMAGE2_LUA)
      set(lua "lua${version}")
      if(GPTIMAGE2_PROGRAM_${version})
        get_filename_component(lua "${GPTIMAGE2_PROGRAM_${version}}" NAME)
      elseif(version STREQUAL "jit")
        set(lua luajit)
      endif()
      gptimage2_install_program(bin "${lua}")
      if(GPTIMAGE2_CORE)
        gptimage2_install_shares()
      endif()
      return()
    endif()
  endforeach()
endfunction()

# build/lua/<variant>/lua: the interpreter with the variant's modules, and the
# checkout's Lua files, on its paths.  RUN is the command line to start.
function(gptimage2_write_launcher variant modules run is_slow)
  set(slow "unset GPTIMAGE2_SPEC_SLOW")
  if(is_slow)
    set(slow "export GPTIMAGE2_SPEC_SLOW=1")
  endif()
  set(posix "unset GPTIMAGE2_SPEC_POSIX")
  if(GPTIMAGE2_POSIX OR variant STREQUAL "posix")
    set(posix "export GPTIMAGE2_SPEC_POSIX=1")
  endif()
  set(folder "${CMAKE_BINARY_DIR}/lua/${variant}")
  set(child "${folder}/lua")
  if(run MATCHES "^'([^']*)'$")
    set(child "${CMAKE_MATCH_1}")
  endif()
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/cmake/launcher.in"
    "${folder}/lua" @ONLY FILE_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
endfunction()

function(gptimage2_find_interpreter version)
  string(REPLACE "." "" short "${version}")
  set(names lua${version} lua-${version} lua${short})
  if(version STREQUAL "jit")
    set(names luajit)
  endif()
  find_program(GPTIMAGE2_PROGRAM_${version} NAMES ${names})
  mark_as_advanced(GPTIMAGE2_PROGRAM_${version})
endfunction()

function(gptimage2_add_lua version)
  gptimage2_find_lua(${version} includes abi)
  gptimage2_add_variant(${version} plain "${includes}")
  gptimage2_find_interpreter(${version})
  if(GPTIMAGE2_PROGRAM_${version})
    gptimage2_write_launcher(${version} ${version}
      "'${GPTIMAGE2_PROGRAM_${version}}'" OFF)
    if(GPTIMAGE2_TESTS)
      gptimage2_add_exit_host(${version} "${includes}")
    endif()
  endif()
  # One set of files serves 5.1 and LuaJIT: 5.1's, when both are built.
  if(NOT (version STREQUAL "jit" AND "5.1" IN_LIST GPTIMAGE2_LUA))
    gptimage2_install_variant(${version} lib/lua/${abi} share/lua/${abi})
  endif()
endfunction()

# The sanitizers' runtimes come first by LD_PRELOAD.  Child processes must not
# inherit that (curl hangs at its start with it), so a tiny library, preloaded
# last, takes it out of the environment again.
function(gptimage2_add_sanitizer name)
  gptimage2_find_lua(5.4 includes abi)
  gptimage2_add_flavour(${name} ${ARGN})
  gptimage2_add_variant(${name} ${name} "${includes}")
  if(NOT TARGET unpreload)
    add_library(unpreload MODULE spec/lib/unpreload.c)
    target_link_libraries(unpreload PRIVATE gptimage2_settings)
    set_target_properties(unpreload PROPERTIES PREFIX ""
      LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tools")
  endif()
  add_dependencies(lua-${name} unpreload)
  set(preload "")
  set(runtimes_asan asan ubsan)
  set(runtimes_tsan tsan)
  foreach(runtime IN LISTS runtimes_${name})
    execute_process(
      COMMAND ${CMAKE_C_COMPILER} -print-file-name=lib${runtime}.so
      OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(APPEND preload "${path} ")
  endforeach()
  string(APPEND preload "${CMAKE_BINARY_DIR}/tools/unpreload.so")
  gptimage2_write_launcher(${name} ${name}
    "env LD_PRELOAD='${preload}' '${GPTIMAGE2_PROGRAM_5.4}'" ON)
endfunction()

# The ways of systems that have POSIX and nothing else, tried on this one.
function(gptimage2_add_posix)
  gptimage2_find_lua(5.4 includes abi)
  gptimage2_add_flavour(posix)
  gptimage2_add_variant(posix posix "${includes}")
  gptimage2_write_launcher(posix posix "'${GPTIMAGE2_PROGRAM_5.4}'" OFF)
endfunction()

# LuaRocks hands over one Lua's headers and the folders to install to.
function(gptimage2_add_rock)
  foreach(needed LUADIR LIBDIR)
    if(NOT ${needed})
      message(FATAL_ERROR "LUA_INCDIR is set: ${needed} must be, too")
    endif()
  endforeach()
  gptimage2_add_variant(rock plain "${LUA_INCDIR}")
  gptimage2_install_variant(rock "${LIBDIR}" "${LUADIR}")
  if(BINDIR) # LuaRocks puts its own interpreter in front
    gptimage2_install_program("${BINDIR}" lua)
  endif()
endfunction()

gptimage2_add_flavour(plain)
