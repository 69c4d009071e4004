-- Posts the report of changing stations with a token. Arguments after `--`: token, payload, where the number stands (from 0).
-- At the end prints one line of JSON: requests, errors (transport, or an answer other than 2xx), seconds, p50us, p99us.
local requests = {}
local turn = 0

function init(args)
  local headers = { ["Authorization"] = "Bearer " .. args[1], ["Content-Type"] = "application/octet-stream" }
  local at = tonumber(args[3])
  for station = 0, 63 do
    local body = args[2]:sub(1, at) .. string.format("%04d", station) .. args[2]:sub(at + 5)
    requests[station] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = (turn + 1) % 64
  return requests[turn]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"errors":%d,"seconds":%.4f,"p50us":%d,"p99us":%d}\n',
    summary.requests,
    failed.connect + failed.read + failed.write + failed.timeout + failed.status,
    summary.duration / 1e6,
    latency:percentile(50),
    latency:percentile(99)
  ))
end
