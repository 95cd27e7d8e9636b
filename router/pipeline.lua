-- SPDX-License-Identifier: Apache-2.0
--
-- pipeline: how this router forwards. Each fast path runs it in a Lua of its
-- own, and shares nothing with the others.
--
-- A batch is up to 64 packets that came in together. A step looks at those that
-- are alive, changes them or takes them out, and returns false if none is left.
-- The steps below are C functions that work on the whole batch in one call; a
-- step in Lua is written in the same way:
--
--    local function no_telnet(tables, batch)
--       for i in router.frames(batch) do
--          local ip = batch.frame[i].data + C.ETH_BYTES
--          if ip[C.IP4_PROTOCOL] == C.IP_TCP and router.be16(ip + 22) == 23 then
--             router.drop(batch, i)
--          end
--       end
--    end
--    pipeline.steps:after("check_ip4", "no_telnet", no_telnet)
--
-- A pipeline of your own begins with  local pipeline = require "pipeline",
-- which is this file, changes what it wants, and ends with  return pipeline.
local router = require "router"
local C = router.C

local pipeline = {}

pipeline.steps = router.steps {
   { "ether_in",   C.ether_in },     -- Ethernet: is it for us? IPv4 and IPv6 part
   { "check_ip4",  C.check_ip4 },    -- is its header right? (RFC 1812, 5.2.2)
   { "check_ip6",  C.check_ip6 },
   { "filter",     C.filter },       -- the rules of filter.conf
   { "lookup4",    C.lookup4 },      -- longest match: which next hop?
   { "lookup6",    C.lookup6 },
   { "ttl4",       C.ttl4 },         -- may it travel on? TTL - 1, checksum
   { "hop_limit6", C.hop_limit6 },
   { "rewrite",    C.rewrite },      -- the Ethernet addresses of the next hop
}

-- The forwarding loop. forward() is all steps in a row; what they took out is
-- given back by its fate: dropped and counted, or handed to the slow path.
function pipeline.loop(path, forward)
   local batch = path.batch
   while C.path_receive(path) > 0 do
      if forward(path.tables, batch) then
         C.path_transmit(path)
      end
      C.path_give_back(path)
   end
end

return pipeline
