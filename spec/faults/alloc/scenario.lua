--- What a host does whose memory runs out somewhere: the pipeline (pipeline.lua), or one of the
--- further scenes (scenes.lua). All that is needed to begin is loaded before anything fails.

local host, url, folder, name, start, parts = ...

--- From where on the pipeline's memory may run out; whatever else is asked for is a scene.
local PIPELINE = { load = true, work = true, plain = true }

local tools = assert(loadfile(parts .. "/tools.lua"))(host)
local file = PIPELINE[start] and "/pipeline.lua" or "/scenes.lua"
assert(loadfile(parts .. file))(tools, host, url, folder, name, start)
