/*
 * The one place that states the version.  CMake, the rockspec check and the
 * Lua field _VERSION all read it from here.
 */
#ifndef GPTIMAGE2_ENGINE_VERSION_H
#define GPTIMAGE2_ENGINE_VERSION_H

#define GPTIMAGE2_VERSION "0.1.0"

#endif
