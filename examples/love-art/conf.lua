function love.conf(t)
  t.identity = "gptimage2-art" -- the manifest and the pictures go into this folder of LÖVE's
  t.window.title = "A village"
  t.window.width, t.window.height = 960, 680
  t.window.resizable = true
  t.modules.audio, t.modules.sound, t.modules.physics, t.modules.joystick =
    false, false, false, false
end
