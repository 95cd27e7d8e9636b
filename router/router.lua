-- SPDX-License-Identifier: Apache-2.0
--
-- router: what a pipeline requires. The C declarations, a list of steps that can
-- be changed by name, and a few words for steps in Lua.
--
-- The text of the declarations is given by script.c, which also calls load() and
-- start(); a pipeline has no use for these two.
local cdef, counts = ...
local bit = require "bit"
local ffi = require "ffi"

ffi.cdef(cdef)
counts = ffi.cast("struct script_counts *", counts)

local C = ffi.C
local router = { C = C }

-- for i in router.frames(batch): the frames that are alive, by number. A step
-- may take out those that it has come to.
local function next_frame(batch, i)
   i = C.batch_next(batch, i + 1)
   if i < 64 then return i end
end

function router.frames(batch)
   return next_frame, batch, -1
end

-- The same for those of IPv6, which are apart between ether_in and rewrite.
local function next_frame6(batch, i)
   i = C.batch_next6(batch, i + 1)
   if i < 64 then return i end
end

function router.frames6(batch)
   return next_frame6, batch, -1
end

-- Takes frame i out; without a fate it is counted as pipeline_drop.
function router.drop(batch, i, fate)
   C.batch_take_out(batch, i, fate or C.FATE_PIPELINE)
end

-- Numbers as they are on the wire.
function router.be16(p)
   return bit.bor(bit.lshift(p[0], 8), p[1])
end

function router.be32(p)
   return ((p[0] * 256 + p[1]) * 256 + p[2]) * 256 + p[3]
end

function router.put16(p, v)
   p[0], p[1] = bit.rshift(v, 8), v
end

function router.put32(p, v)
   router.put16(p, bit.rshift(v, 16))
   router.put16(p + 2, bit.band(v, 0xffff))
end

-- "192.0.2.1" as the number that be32() gives.
function router.ip4(text)
   local a, b, c, d = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
   local n = a and ((a * 256 + b) * 256 + c) * 256 + d
   if not n then error("no IPv4 address: " .. text, 2) end
   return n
end

-- --- steps -----------------------------------------------------------------

local Steps = {}
Steps.__index = Steps

local function check_step(name, f)
   if type(name) ~= "string" then
      error("the name of a step is a string", 3)
   end
   if type(f) ~= "function" and type(f) ~= "cdata" then
      error("step " .. name .. " is no function", 3)
   end
end

function router.steps(list)
   for _, step in ipairs(list) do check_step(step[1], step[2]) end
   return setmetatable(list, Steps)
end

local function find(steps, name)
   for i, step in ipairs(steps) do
      if step[1] == name then return i end
   end
   error("there is no step " .. tostring(name), 3)
end

function Steps:before(where, name, f)
   check_step(name, f)
   table.insert(self, find(self, where), { name, f })
end

function Steps:after(where, name, f)
   check_step(name, f)
   table.insert(self, find(self, where) + 1, { name, f })
end

function Steps:replace(name, f)
   check_step(name, f)
   self[find(self, name)] = { name, f }
end

function Steps:remove(name)
   table.remove(self, find(self, name))
end

-- The text of the same when somebody looks at what each step does (probe.h).
local function probed(name)
   local line = {}
   for i, step in ipairs(name) do
      line[i] = ("go_on = %s(tables, batch) ~= false C.probe_step(batch, %d) "
         .. "if not go_on then return false end "):format(step, i - 1)
   end
   return "local C = require('router').C "
      .. "local function probed(tables, batch) local go_on "
      .. table.concat(line) .. "return true end "
end

-- One function that does all steps in a row, written out and not looped over: so
-- it becomes one straight piece of machine code. A step that returns nothing
-- lets the batch go on.
local function chain(steps)
   local f, name, call = {}, {}, { "true" }
   for i, step in ipairs(steps) do
      f[i], name[i] = step[2], "step" .. i
      call[i] = name[i] .. "(tables, batch) ~= false"
   end
   local text = "return function(tables, batch) "
      .. "if batch.probe ~= nil then return probed(tables, batch) end return "
      .. table.concat(call, " and ") .. " end"
   if #f > 0 then
      text = "local " .. table.concat(name, ", ") .. " = ... "
         .. probed(name) .. text
   else
      text = probed(name) .. text
   end
   return assert(loadstring(text, "=chain"))(unpack(f))
end

-- A router ends when its node says so.
os.exit = function()
   error("a pipeline cannot end the router", 2)
end

-- --- for script.c ----------------------------------------------------------

jit.attach(function(what)
   if what == "stop" then
      counts.traces = counts.traces + 1
   elseif what == "abort" then
      counts.aborts = counts.aborts + 1
   end
end, "trace")

local function load(chunk, name)
   local pipeline = chunk()
   if type(pipeline) ~= "table" or type(pipeline.loop) ~= "function"
      or getmetatable(pipeline.steps) ~= Steps then
      error(name .. ": it does not return a pipeline (steps and loop)", 0)
   end
   if #pipeline.steps > 50 then
      error(name .. ": more than 50 steps", 0)
   end
   local names = {}
   for i, step in ipairs(pipeline.steps) do names[i] = step[1] end
   return pipeline.loop, chain(pipeline.steps), table.concat(names, "\n")
end

local function start(loop, forward, path)
   return loop(ffi.cast("struct path *", path), forward)
end

return router, load, start
