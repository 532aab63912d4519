-- Requests for wrk: `wrk .. -s requests.lua URL -- KIND TOKENS ROWS SEED [PAUSE]`, KIND one of get, list, create, token, guess,
-- health; after each answer a connection pauses for so many milliseconds in the mean, at random (exponentially distributed).
-- Picks tenants and ids at random, from a fixed seed. At the end it prints one line for `run`:
--   rate p50 p99 errors        requests per second, milliseconds, answers that were no success or never came

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

-- Lines of "TENANT TOKEN"; for the kind token, "TENANT CREDENTIALS" as they stand behind `Basic`.
local function read_tokens(path)
    local tokens = {}
    for line in io.lines(path) do
        local tenant, token = line:match("^(%d+) (%S+)$")
        tokens[#tokens + 1] = { tenant = tenant, token = token }
    end
    return tokens
end

local function get(caller, rows)
    local path = string.format("/api/v1/projects/0193%04d-%s-7000-8000-000000000000/", 1000 + math.random(0, rows - 1), caller.tenant)
    return wrk.format("GET", path, { Authorization = "Bearer " .. caller.token })
end

local function list(caller)
    return wrk.format("GET", "/api/v1/projects/?page_size=20", { Authorization = "Bearer " .. caller.token })
end

local function token(caller)
    local headers = {
        ["Authorization"] = "Basic " .. caller.token,
        ["Content-Type"] = "application/x-www-form-urlencoded",
    }
    return wrk.format("POST", "/oauth/token", headers, "grant_type=client_credentials")
end

-- Somebody's log-in with a wrong password: what a storm of log-ins is made of.
local function guess(caller)
    local body = string.format('{"username":"bench","password":"wrong wrong wrong","tenant":"bench-%s"}', caller.tenant)
    return wrk.format("POST", "/api/v1/auth/token/", { ["Content-Type"] = "application/json" }, body)
end

-- Two texts with a place for a number between them, because each request needs a key and a name of its own.
local function create(caller)
    local body = '{"name":"Created 00000000000000","description":"A project that the benchmark made.","status":"active"}'
    local headers = {
        ["Authorization"] = "Bearer " .. caller.token,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = "bench-00000000000000",
    }
    return wrk.format("POST", "/api/v1/projects/", headers, body)
end

-- Enough ready-made requests that the choice is random, few enough that the generator's memory stays small.
local READY_MADE = 8192
local ready, next_number = {}, 0

function init(arguments)
    local kind, path, rows, seed = arguments[1], arguments[2], tonumber(arguments[3]), tonumber(arguments[4])
    local pause = tonumber(arguments[5])
    if pause then
        delay = function() return math.floor(-math.log(1 - math.random()) * pause + 0.5) end
    end
    math.randomseed(seed * 100 + number)
    next_number = (seed * 10 + number) * 1000000000
    if kind == "health" then
        local health = wrk.format("GET", "/health/live")
        request = function() return health end
        return
    end
    local make = ({ get = get, list = list, create = create, token = token, guess = guess })[kind]
    local tokens = read_tokens(path)
    for i = 1, READY_MADE do
        ready[i] = make(tokens[math.random(#tokens)], rows)
    end
    if kind == "create" then
        request = function()
            next_number = next_number + 1
            local text = string.format("%014d", next_number)
            return (ready[math.random(READY_MADE)]:gsub("00000000000000", text))
        end
    else
        request = function() return ready[math.random(READY_MADE)] end
    end
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    local rate = (summary.requests - errors.status) / (summary.duration / 1e6)
    io.write(string.format("result %.0f %.3f %.3f %d\n", rate, latency:percentile(50) / 1000,
        latency:percentile(99) / 1000, failed))
end
