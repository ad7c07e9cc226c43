--- Prints where this Lua is and where it finds the modules: three lines.

local first = 0
while arg[first - 1] do
  first = first - 1
end
print(arg[first])
print(package.path)
print(package.cpath)
