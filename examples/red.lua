-- SPDX-License-Identifier: Apache-2.0
--
-- red: Random Early Detection (Floyd and Jacobson, 1993) for each vNIC whose
-- link takes only so many packets a second. What comes faster fills the buffer
-- of that link, or is dropped by the limit of the vNIC, in bursts that hit many
-- flows at once. RED keeps the queue short: the longer it is on average, the
-- more packets it drops, at random, so that the flows that send most lose most.
local pipeline = require "pipeline"
local router = require "router"
local C = router.C

local rate = 10000          -- packets that a link takes, a second
local weight = 0.002        -- of the present queue in its average
local min, max = 50, 150    -- packets: below, none is dropped; above, all are
local max_p = 0.1           -- the share that is dropped just below max

local links = {}            -- by vNIC: the queue that its link must have
for vnic = 0, 31 do
   links[vnic] = { queue = 0, average = 0, since = 0, seen_us = 0 }
end

-- What the link has taken since the last packet has left its queue. An idle
-- link lets its average fall as if small packets had been passing by.
local function drain(link, now_us)
   local taken = (now_us - link.seen_us) * rate / 1e6
   if taken > link.queue then
      link.average = link.average * (1 - weight) ^ (taken - link.queue)
      link.queue = 0
   else
      link.queue = link.queue - taken
   end
   link.seen_us = now_us
end

-- One more packet: does it pass?
local function passes(link)
   link.average = link.average + weight * (link.queue - link.average)
   if link.average < min then
      link.since = 0
   elseif link.average >= max then
      link.since = 0
      return false
   else
      -- drops at even distances rather than in rows
      link.since = link.since + 1
      local p = max_p * (link.average - min) / (max - min)
      if math.random() < p / math.max(1 - link.since * p, p) then
         link.since = 0
         return false
      end
   end
   link.queue = link.queue + 1
   return true
end

-- Where packets are about to leave: all steps are done, and both families are
-- alike again.
local function red(tables, batch, now_us)
   for i in router.frames(batch) do
      local link = links[tables.hop[batch.hop[i]].vnic]
      drain(link, now_us)
      if not passes(link) then router.drop(batch, i) end
   end
end

function pipeline.loop(path, forward)
   local batch = path.batch
   while C.path_receive(path) > 0 do
      if forward(path.tables, batch) then
         red(path.tables, batch, C.path_now_us(path))
         C.path_transmit(path)
      end
      C.path_give_back(path)
   end
end

return pipeline
