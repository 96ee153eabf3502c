-- SPDX-License-Identifier: BSD-3-Clause
-- Wireshark's eyes for the delegation protocol (delegation-protocol.md), UDP port 49434:
--     tshark -X lua_script:homeport-delegation.lua -r FILE.pcap -Y hadp
-- Fields are named hadp.FIELD in the header and hadp.RECORD.FIELD in the records. Authenticators are shown, not
-- verified.

local HEADER, AUTHENTICATOR = 48, 16

local TYPES = {
    [1] = "HELLO", [2] = "HELLO_ACK", [3] = "START", [4] = "START_ACK", [5] = "STOP", [6] = "STOP_ACK",
    [7] = "KEEPALIVE", [8] = "KEEPALIVE_ACK", [9] = "RATES", [10] = "RATES_ACK", [11] = "SYNC_REQ",
    [12] = "SYNC_DATA", [13] = "SYNC_ACK", [14] = "EVENT", [15] = "EVENT_ACK",
}
local STATUS = {
    [0] = "OK", [1] = "OK_ALREADY", [2] = "OK_ABSENT", [16] = "STALE", [17] = "NO_RESOURCES", [18] = "OVERLOADED",
    [19] = "DRAINING", [20] = "ENCAPSULATION_UNSUPPORTED", [21] = "LINK_DOWN", [22] = "ADDRESS_CONFLICT",
    [23] = "LOOP", [24] = "SOURCE_NOT_PERMITTED", [25] = "PROHIBITED", [26] = "BAD_RECORD", [27] = "VERSION",
    [29] = "NOT_ASSOCIATED", [30] = "FENCED",
}
local HELD = { [0] = "absent", "installing", "active", "forward-only", "tombstone" }
local REASON = { "back home", "deregistered", "expired", "moved", "admin", "address conflict", "primary going down" }
local MODE = { [0] = "drop at once", "linger and forward", "linger and deliver to the MAC" }
local ENCAPSULATION = {
    "IP-in-IP", "minimal", "GRE", "GRE with key", "UDP 434 + IP", "IPv6 in IPv6", "IPv4 in IPv6", "IPv6 in IPv4",
}
local LOAD = { [0] = "start", "ready", "draining", "overloaded", "syncing" }
local ROLE = { "primary", "secondary", "standby primary" }
local EVENT = {
    "expired", "address conflict", "packet too big", "tunnel unreachable", "link down", "link up",
    "still receiving after stop", "table full",
}
local FLAGS = { { "response", 0x80 }, { "more", 0x40 }, { "last", 0x20 }, { "urgent", 0x10 } }
local START_FLAGS = {
    { "announce", 0x80 }, { "intercept", 0x40 }, { "decapsulate", 0x20 }, { "broadcasts", 0x10 },
    { "co_located", 0x08 }, { "link_local", 0x04 }, { "home_tests", 0x02 },
}

-- A row: offset, bytes, name, text of the field, texts of its values. Bytes "mac", 16 or "octets".
local HEADER_ROWS = {
    { 0, 4, "magic", "Magic" }, { 4, 1, "version", "Version" }, { 5, 1, "type", "Type", TYPES },
    { 6, 2, "length", "Total length" }, { 8, 1, "header_words", "Header length, 4-byte words" },
    { 9, 1, "flags", "Flags" }, { 10, 2, "record_count", "Records" }, { 12, 4, "spi", "SPI" },
    { 16, 8, "epoch", "Sender's epoch" }, { 24, 8, "peer_epoch", "Peer's epoch" }, { 32, 8, "sequence", "Sequence" },
    { 40, 4, "transaction", "Transaction" }, { 44, 2, "request", "SYNC_REQ's transaction, low 16 bits" },
    { 46, 2, "node", "Sender's node id" },
}
local LINK, HOME = { 4, 4, "home_link", "Home link" }, { 8, 16, "home", "Home address" }
local GENERATION = { 24, 8, "generation", "Generation" }
local RECORDS = {
    [1] = { "START", 88,
        { 1, 1, "flags", "Flags" }, LINK, HOME, { 24, 16, "care_of", "Care-of address" },
        { 40, 16, "source", "Tunnel source" }, { 56, 8, "generation", "Generation" },
        { 64, 4, "duration_ms", "Duration, ms" }, { 68, 1, "encapsulation", "Encapsulation", ENCAPSULATION },
        { 69, 1, "index", "Care-of index" }, { 70, 1, "count", "Care-of count" },
        { 72, 2, "nat_port", "UDP port (NAT traversal)" }, { 74, 2, "tunnel_mtu", "Tunnel MTU (0: automatic)" },
        { 76, 4, "gre_key", "GRE key" }, { 80, 8, "cookie", "Cookie" } },
    [2] = { "STOP", 48, LINK, HOME, GENERATION,
        { 32, 1, "reason", "Reason", REASON }, { 33, 1, "mode", "Mode", MODE },
        { 34, 2, "linger_ds", "Linger, 100 ms" }, { 36, "mac", "mac", "Mobile node's MAC" } },
    [3] = { "ACK", 48, LINK, HOME,
        { 24, 8, "asked", "Generation asked" }, { 32, 8, "held", "Generation held" },
        { 40, 4, "remaining_ms", "Remaining, ms" }, { 44, 1, "status", "Status", STATUS },
        { 45, 1, "state", "State", HELD }, { 46, 2, "index", "Record in the request" } },
    [4] = { "RATE", 56, LINK, HOME, GENERATION,
        { 32, 4, "pps", "Packets/s" }, { 36, 4, "kbps", "kbit/s" }, { 40, 8, "packets", "Packets" },
        { 48, 8, "bytes", "Bytes" } },
    [5] = { "LOAD", 80,
        { 4, 1, "state", "State", LOAD }, { 6, 2, "busiest_permille", "Busiest lcore, permille" },
        { 8, 4, "capacity_pps", "Capacity, packets/s" }, { 12, 4, "rx_pps", "Received, packets/s" },
        { 16, 4, "tx_pps", "Sent, packets/s" }, { 20, 4, "drop_pps", "Dropped, packets/s" },
        { 24, 4, "tx_kbps", "Sent, kbit/s" }, { 28, 4, "bindings", "Bindings" },
        { 32, 4, "max_bindings", "Most bindings" }, { 36, 4, "tombstones", "Tombstones" },
        { 40, 4, "unknown_pps", "Unknown home addresses, packets/s" }, { 48, 8, "digest", "Table digest" },
        { 56, 8, "floor", "Floor" }, { 64, 4, "uptime_s", "Uptime, s" },
        { 72, 8, "heard", "Highest KEEPALIVE heard answered" } },
    [6] = { "LEASE", 32,
        { 4, 4, "lease_ms", "Lease, ms" }, { 8, 8, "floor", "Floor" }, { 16, 8, "sequence", "KEEPALIVE answered" },
        { 24, 2, "report_ms", "Report interval, ms" }, { 26, 2, "report_top", "Report at most" } },
    [7] = { "HELLO", 64,
        { 4, 1, "role", "Role", ROLE }, { 5, 1, "lowest_version", "Lowest version" },
        { 6, 1, "highest_version", "Highest version" }, { 9, 3, "term", "Term" },
        { 12, 4, "capabilities", "Capabilities" }, { 16, "octets", "nonce", "Nonce" },
        { 32, "octets", "peer_nonce", "Peer's nonce" }, { 48, 2, "ip_id_slot", "IP-ID slot" },
        { 50, 2, "payload_max", "Longest payload" }, { 52, "mac", "mac", "MAC on the home link" } },
    [8] = { "DIGEST", 8, { 4, 2, "first", "First bucket" }, { 6, 2, "count", "Buckets" } },
    [9] = { "EVENT", 56, LINK, HOME, GENERATION,
        { 32, 2, "code", "Code", EVENT }, { 40, "octets", "auxiliary", "Auxiliary (MAC, or MTU)" } },
}

local hadp = Proto("hadp", "Homeport delegation protocol")
local fields, malformed = {}, ProtoExpert.new("hadp.bad", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
hadp.experts = { malformed }

local function field(name, constructor, ...)
    fields[name] = constructor("hadp." .. name, ...)
    return fields[name]
end

local NUMBERS = { [1] = ProtoField.uint8, [2] = ProtoField.uint16, [3] = ProtoField.uint24,
                  [4] = ProtoField.uint32, [8] = ProtoField.uint64 }
local HEX = { epoch = true, peer_epoch = true, transaction = true, flags = true, magic = true, cookie = true,
              digest = true, gre_key = true }

local function row_field(prefix, row)
    local _, bytes, name, text, values = table.unpack(row)
    local full = prefix .. name
    if bytes == "mac" then return field(full, ProtoField.ether, text) end
    if bytes == "octets" then return field(full, ProtoField.bytes, text) end
    if bytes == 16 then return field(full, ProtoField.ipv6, text) end
    return field(full, NUMBERS[bytes], text, HEX[name] and base.HEX or base.DEC, values)
end

local function flag_fields(prefix, flags)
    for _, flag in ipairs(flags) do
        field(prefix .. "flags." .. flag[1], ProtoField.bool, flag[1], 8, nil, flag[2])
    end
end

for _, row in ipairs(HEADER_ROWS) do row_field("", row) end
flag_fields("", FLAGS)
for _, kind in pairs(RECORDS) do
    for i = 3, #kind do row_field(kind[1]:lower() .. ".", kind[i]) end
end
flag_fields("start.", START_FLAGS)
field("digest.value", ProtoField.uint64, "Digest", base.HEX)
field("record.type", ProtoField.uint8, "Record type")
field("record.length", ProtoField.uint16, "Record length")
field("authenticator", ProtoField.bytes, "Authenticator")
hadp.fields = fields

local SIZES = { mac = 6, octets = 16 }

local function add_row(tree, prefix, buffer, row)
    local at, bytes, name = row[1], row[2], row[3]
    return tree:add(fields[prefix .. name], buffer(at, SIZES[bytes] or bytes))
end

local function add_flags(tree, prefix, range, flags)
    for _, flag in ipairs(flags) do tree:add(fields[prefix .. "flags." .. flag[1]], range) end
end

local function add_generation(item, range)
    local number = range:uint64()
    item:append_text((" (term %d, counter %s)"):format(number:rshift(40):tonumber(),
        tostring(number:band(UInt64.new(0xffffffff, 0xff)))))
end

local GENERATIONS = { generation = true, asked = true, held = true, floor = true }

local function add_digests(tree, buffer)
    for i = 0, math.min(buffer(6, 2):uint(), math.floor((buffer:len() - 8) / 8)) - 1 do
        tree:add(fields["digest.value"], buffer(8 + 8 * i, 8)):prepend_text(("Bucket %d: "):format(
            buffer(4, 2):uint() + i))
    end
end

local function add_known(tree, buffer, kind)
    local prefix = kind[1]:lower() .. "."
    for i = 3, #kind do
        local item = add_row(tree, prefix, buffer, kind[i])
        if GENERATIONS[kind[i][3]] then add_generation(item, buffer(kind[i][1], 8)) end
        if prefix == "start." and kind[i][3] == "flags" then add_flags(item, prefix, buffer(1, 1), START_FLAGS) end
    end
    if prefix == "digest." then add_digests(tree, buffer) end
end

-- Its name.
local function add_record(tree, buffer)
    local number = buffer(0, 1):uint()
    local kind = RECORDS[number]
    local name = kind and kind[1] or ("Unknown record %d"):format(number)
    local item = tree:add(hadp, buffer(), name)
    item:add(fields["record.type"], buffer(0, 1)):append_text(" (" .. name .. ")")
    item:add(fields["record.length"], buffer(2, 2))
    if kind and buffer:len() >= kind[2] then
        add_known(item, buffer, kind)
    elseif kind or number < 128 then
        item:add_proto_expert_info(malformed, kind and "Shorter than a " .. name or "Unknown type below 128")
    end
    return name
end

-- Names of the records, in order; nil where they are malformed.
local function add_records(tree, buffer)
    local names, at = {}, 0
    while at < buffer:len() do
        local left = buffer:len() - at
        local length = left >= 4 and buffer(at + 2, 2):uint() or 0
        if length < 4 or length % 8 ~= 0 or length > left then return nil end
        names[#names + 1] = add_record(tree, buffer(at, length):tvb())
        at = at + length
    end
    return names
end

local function bad(tree, why)
    tree:add_proto_expert_info(malformed, why)
end

local function header_bytes(buffer)
    local header = buffer(8, 1):uint() * 4
    local fits = header >= HEADER and header % 8 == 0 and header <= buffer:len() - AUTHENTICATOR
    return fits and buffer(6, 2):uint() == buffer:len() and header
end

local function summary(buffer, names)
    local kind = buffer(5, 1):uint()
    return ("%s node %d seq %s tx 0x%08x [%s]"):format(TYPES[kind] or ("type %d"):format(kind), buffer(46, 2):uint(),
        tostring(buffer(32, 8):uint64()), buffer(40, 4):uint(), table.concat(names, " "))
end

function hadp.dissector(buffer, pinfo, tree)
    if buffer:len() < HEADER + AUTHENTICATOR or buffer(0, 4):uint() ~= 0x48414450 then return 0 end
    pinfo.cols.protocol = "HADP"
    local item = tree:add(hadp, buffer())
    for _, row in ipairs(HEADER_ROWS) do
        local header_item = add_row(item, "", buffer, row)
        if row[3] == "flags" then add_flags(header_item, "", buffer(9, 1), FLAGS) end
    end
    local header = header_bytes(buffer)
    if not header then return bad(item, "Length") end
    local records = buffer:len() - AUTHENTICATOR - header
    local names = {}
    if records > 0 then names = add_records(item, buffer(header, records):tvb()) end
    item:add(fields.authenticator, buffer(buffer:len() - AUTHENTICATOR, AUTHENTICATOR))
    if not names then return bad(item, "A record's length") end
    if #names ~= buffer(10, 2):uint() then bad(item, "Number of records") end
    pinfo.cols.info = summary(buffer, names)
end

DissectorTable.get("udp.port"):add(49434, hadp)
