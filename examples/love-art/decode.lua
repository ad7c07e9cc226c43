--- A love.thread: decodes what it is sent, until that is "stop". In a frame that would cost some
--- 80 ms for a PNG of 1024 x 1024.
require("love.image")

local wanted, decoded = love.thread.getChannel("wanted"), love.thread.getChannel("decoded")
while true do
  local one = wanted:demand()
  if one == "stop" then
    return
  end
  local file = assert(io.open(one.file, "rb"))
  local bytes = love.filesystem.newFileData(file:read("*a"), one.file)
  file:close()
  one.data = love.image.newImageData(bytes)
  decoded:push(one)
end
