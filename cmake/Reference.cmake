# The manual as HTML, from the pages in doc/ and the annotations in library/:
# the target `reference`, where LDoc is installed, makes build/doc/index.html.

find_program(GPTIMAGE2_LDOC NAMES ldoc ldoc.lua)
mark_as_advanced(GPTIMAGE2_LDOC)
if(GPTIMAGE2_LDOC)
  add_custom_target(reference
    COMMAND "${CMAKE_COMMAND}" -E env "LDOC=${GPTIMAGE2_LDOC}"
      "${CMAKE_CURRENT_SOURCE_DIR}/doc/make" "${CMAKE_BINARY_DIR}/doc"
    VERBATIM)
endif()
