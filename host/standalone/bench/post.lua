-- Has wrk post one event over and over, and writes what came of it as a line of JSON.
-- usage: wrk ... -s post.lua URL -- EVENT [statuses|paced]
--   statuses   with how often each status came, which slows wrk
--   paced      each connection rests some 10 ms after an answer

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = io.open(args[1]):read("*a")
  came = {}
  if args[2] == "paced" then
    delay = function()
      return math.random(5, 15)
    end
  end
  if args[2] == "statuses" then
    response = function(status)
      came[status] = (came[status] or 0) + 1
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local statuses = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("came")) do
      table.insert(statuses, string.format('"%d": %d', status, count))
    end
  end
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d, "statuses": {%s}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, table.concat(statuses, ", ")
  ))
end
