-- A poster for each web server that a scan finds, from the title of its page. To run it:
--   1. have gptimage2 for the Lua of nmap (Debian: 5.3), and its key in GPTIMAGE2_API_KEY
--   2. nmap -p 80 --script +examples/nmap/poster.nse --script-args poster.folder=out 192.0.2.0/28
-- Each poster costs 10 credits; all together cost at most poster.budget (default 50).
local gptimage2 = require("gptimage2")
local http = require("http")
local nmap = require("nmap")
local shortport = require("shortport")
local stdnse = require("stdnse")

description = [[Makes a poster of each web server from the title of its page, with GPTImage2.ai.]]
author = "the authors of gptimage2"
license = "Same as Nmap--See https://nmap.org/book/man-legal.html"
categories = { "external" }

portrule = shortport.http

-- nmap runs this file anew for each host. One client for all of them, in the registry: its budget
-- is that of the whole scan.
local function client_of_scan()
  if not nmap.registry.poster then
    local budget = tonumber(stdnse.get_script_args("poster.budget")) or 50
    local client, err = gptimage2.new({ budget = budget })
    nmap.registry.poster = { client = client, err = err }
  end
  return nmap.registry.poster.client, nmap.registry.poster.err
end

-- Each host has a thread of its own, and all of them wait side by side.
action = function(host, port)
  local client, err = client_of_scan()
  if not client then
    return tostring(err)
  end
  local page = http.get(host, port, "/")
  local title = page.body and page.body:match("<[tT][iI][tT][lL][eE][^>]*>%s*([^<]-)%s*<")
  if not title or title == "" then
    return nil
  end
  local folder = stdnse.get_script_args("poster.folder") or "out"
  local prompt = gptimage2.prompt({ subject = "a travel poster", text = title })
  local save = { folder .. "/" .. host.ip .. "-" .. port.number .. "-{n}.png", overwrite = true }
  local job
  job, err = client:generate(prompt:request({ ratio = "3:4" }), { save = save })
  if not job then
    return tostring(err)
  end
  return job.files and job.files[1] or tostring(job.save_error)
end
