--- A love.thread: decoding a PNG of 1024 x 1024 takes some 100 ms, many frames long.
require("love.image")

local path = ...
local file = assert(io.open(path, "rb"))
local bytes = love.filesystem.newFileData(file:read("*a"), path)
file:close()
love.thread.getChannel("decoded"):push(love.image.newImageData(bytes))
