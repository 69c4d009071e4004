"""Makes history.json: two batches of one project's history, for every implementation of docs/spec/history.md.

Written against the specification with Python's standard library only, apart from the TypeScript code that is tested with it.
Run: python3 packages/protocol/vectors/history.py > packages/protocol/vectors/history.json
"""
import hashlib
import json
import os

# --- Keccak-256 (FIPS 202 permutation, original padding) and secp256k1 (SEC 2) ---------------------------------------

ROTATIONS = [[0, 36, 3, 41, 18], [1, 44, 10, 45, 2], [62, 6, 43, 15, 61], [28, 55, 25, 21, 56], [27, 20, 39, 8, 14]]


def round_constants():
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


CONSTANTS = round_constants()
MASK = (1 << 64) - 1


def rotate(value, by):
    return (value << by | value >> (64 - by)) & MASK if by else value


def permute(a):
    for constant in CONSTANTS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x - 1) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = rotate(a[x][y], ROTATIONS[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        a[0][0] ^= constant
    return a


def keccak(data):
    rate, state = 136, [[0] * 5 for _ in range(5)]
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i % 5][i // 5] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        state = permute(state)
    return b"".join(state[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = 3 * a[0] ** 2 * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point=G):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point, k = add(point, point), k >> 1
    return total


def word(value):
    return value.to_bytes(32, "big")


def address_of(secret):
    x, y = multiply(secret)
    return keccak(word(x) + word(y))[12:]


def sign(secret, digest):
    """r ‖ s ‖ v. The nonce follows from key and digest, which is enough for vectors."""
    k = int.from_bytes(hashlib.sha256(word(secret) + digest).digest(), "big") % N
    x, y = multiply(k)
    r, odd = x % N, y & 1
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * secret) % N
    if s > N // 2:
        s, odd = N - s, odd ^ 1
    return word(r) + word(s) + bytes([27 + odd])


# --- docs/spec/history.md, section by section -------------------------------------------------------------------------


def uint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def u64(value):
    return value.to_bytes(8, "big")


def data(value):
    return uint(len(value)) + value


def text(value):
    return data(value.encode())


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def sha256_of(value):
    return sha256(value)


def root(leaves, hash):
    if not leaves:
        return hash(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash(b"\x01" + root(leaves[:split], hash) + root(leaves[split:], hash))


def path(leaves, index, hash):
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return path(leaves[:split], index, hash) + [root(leaves[split:], hash)]
    return path(leaves[split:], index - split, hash) + [root(leaves[:split], hash)]


KINDS = ["data", "config", "answer", "chain", "timer"]


def encode_message(m):
    origin = b"\x00" if m["envelope"] is None else b"\x01" + data(m["envelope"])
    return (
        bytes([KINDS.index(m["kind"])])
        + uint(m["receivedMs"])
        + data(m["nonce"])
        + origin
        + text(m["publisherId"])
        + text(m["publisherKey"])
        + text(m["eventType"])
        + text(m["eventId"])
        + uint(m["timestampMs"])
        + text(m["topic"])
        + text(m["idempotencyKey"])
        + data(m["payload"])
    )


def message_id(project, m, encoded):
    return m["receivedMs"].to_bytes(6, "big") + sha256(b"w3bstream/message/v1", project, encoded)[:26]


def encode_header(h):
    heads = b"".join(u64(c["chainId"]) + u64(c["number"]) + c["hash"] for c in h["chainHeads"])
    return (
        b"\x01"
        + h["project"]
        + u64(h["epoch"])
        + u64(h["height"])
        + h["previous"]
        + uint(h["timeMs"])
        + h["proposer"]
        + h["messagesRoot"]
        + uint(h["messageCount"])
        + uint(len(h["chainHeads"]))
        + heads
    )


STATUSES = ["ok", "failed", "unrouted", "duplicate", "applied", "refused"]


def encode_receipt(r):
    results = b"".join(
        text(x["appletId"])
        + text(x["instanceId"])
        + text(x["handler"])
        + x["codeHash"]
        + x["code"].to_bytes(4, "big", signed=True)
        + text(x["error"])
        + text(x["message"])
        + u64(x["fuel"])
        for x in r["results"]
    )
    return (
        b"\x01"
        + r["messageId"]
        + u64(r["height"])
        + uint(r["index"])
        + bytes([STATUSES.index(r["status"])])
        + r["vouchedBy"]
        + uint(r["effects"]["first"])
        + uint(r["effects"]["count"])
        + text(r["detail"])
        + uint(len(r["results"]))
        + results
    )


def encode_body(b):
    if b["kind"] == "transaction":
        fields = [b["chainName"], b["to"], str(b["value"]), b["data"], b["operator"]]
        return b"\x00" + u64(b["chainId"]) + b"".join(map(text, fields))
    if b["kind"] == "mqtt":
        return b"\x01" + text(b["topic"]) + data(b["payload"])
    if b["kind"] == "api":
        header = json.dumps(b["header"], separators=(",", ":"))
        return b"\x02" + text(b["method"]) + text(b["url"]) + text(header) + data(b["body"]) + text(b["eventType"])
    if b["kind"] == "event":
        return b"\x04" + text(b["eventType"]) + data(b["payload"])
    return b"\x03" + text(b["json"])


def effect_leaf(effect_id, b):
    if b["kind"] != "transaction":
        return keccak(b"\x00" + effect_id + encode_body(b))
    to, call = bytes.fromhex(b["to"][2:]), bytes.fromhex(b["data"][2:])
    return keccak(b"\x00" + effect_id + word(b["chainId"]) + bytes(12) + to + word(b["value"]) + keccak(call))


def encode_write(w):
    if w["type"] == "kv":
        return b"\x01" + text(w["namespace"]) + text(w["key"]) + data(w["value"])
    if w["type"] == "sql":
        params = b"".join(text(p["type"]) + text(p["text"]) for p in w["params"])
        rows = b"".join(text(value) for row in w["rows"] for value in row)
        head = b"\x02" + text(w["statement"]) + uint(len(w["params"])) + params
        return head + uint(w["changes"]) + uint(len(w["rows"])) + rows
    return b"\x03" + text(w["kind"]) + text(w["id"]) + text(w["value"])


def encode_witness(entries):
    if not entries:
        return b""
    kinds = ["sign", "call"]
    return uint(len(entries)) + b"".join(
        uint(e["messageIndex"]) + bytes([kinds.index(e["kind"]), e["answered"]]) + data(e["answer"]) for e in entries
    )


COMMIT_TYPE = b"Commit(bytes32 project,uint64 epoch,uint64 height,bytes32 batch,bytes32 receipts,bytes32 effects,bytes32 facts,bytes32 state)"
DOMAIN_SEPARATOR = keccak(keccak(b"EIP712Domain(string name,string version)") + keccak(b"W3bstream") + keccak(b"1"))
ROOTS = ["batch", "receipts", "effects", "facts", "state"]


def commit_digest(c):
    struct = keccak(COMMIT_TYPE) + c["project"] + word(c["epoch"]) + word(c["height"]) + b"".join(c[k] for k in ROOTS)
    return keccak(b"\x19\x01" + DOMAIN_SEPARATOR + keccak(struct))


def encode_certificate(c, signatures):
    head = b"\x01" + c["project"] + u64(c["epoch"]) + u64(c["height"]) + b"".join(c[k] for k in ROOTS)
    return head + uint(len(signatures)) + b"".join(s["member"] + s["signature"] for s in signatures)


# --- The history ------------------------------------------------------------------------------------------------------

PROJECT = bytes(range(32))
SECRET = 0x0101010101010101010101010101010101010101010101010101010101010101
MEMBER = address_of(SECRET)
CODE = sha256(b"a module")


def batch(height, previous, state, time_ms, entries, effects, writes, witness):
    messages = [e["message"] for e in entries]
    encoded = [encode_message(m) for m in messages]
    ids = [message_id(PROJECT, m, b) for m, b in zip(messages, encoded)]
    header = {
        "project": PROJECT,
        "epoch": 0,
        "height": height,
        "previous": previous,
        "timeMs": time_ms,
        "proposer": MEMBER,
        "messagesRoot": root(ids, sha256_of),
        "messageCount": len(ids),
        "chainHeads": [],
    }
    header_bytes = encode_header(header)
    batch_hash = sha256(b"w3bstream/batch/v1", header_bytes)
    receipts = [
        {
            "messageId": ids[i],
            "height": height,
            "index": i,
            "vouchedBy": bytes(20) if e["message"]["envelope"] is not None else MEMBER,
            **e["receipt"],
        }
        for i, e in enumerate(entries)
    ]
    receipt_bytes = [encode_receipt(r) for r in receipts]
    leaves = [sha256(b"\x00", b) for b in receipt_bytes]
    listed = []
    for i, (message_index, body) in enumerate(effects):
        effect_id = keccak(PROJECT + u64(height) + u64(i))
        listed.append(
            {
                "id": effect_id,
                "index": i,
                "messageIndex": message_index,
                "body": body,
                "bodyBytes": encode_body(body),
                "leaf": effect_leaf(effect_id, body),
            }
        )
    entry_bytes = b"".join(encode_write(w) for w in writes)
    digest = sha256(b"w3bstream/state/v1", state, entry_bytes)
    commit = {
        "project": PROJECT,
        "epoch": 0,
        "height": height,
        "batch": batch_hash,
        "receipts": root(leaves, sha256_of),
        "effects": root([e["leaf"] for e in listed], keccak),
        "facts": keccak(b""),
        "state": digest,
    }
    signed = commit_digest(commit)
    signatures = [{"member": MEMBER, "signature": sign(SECRET, signed)}]
    return {
        "messages": [{"fields": m, "bytes": b, "id": i} for m, b, i in zip(messages, encoded, ids)],
        "header": {"fields": header, "bytes": header_bytes, "hash": batch_hash},
        "seeds": [{"index": 0, "ordinal": 0, "seed": sha256(b"w3bstream/seed/v1", batch_hash, uint(0), uint(0))}],
        "receipts": [{"fields": r, "bytes": b, "leaf": x} for r, b, x in zip(receipts, receipt_bytes, leaves)],
        "effects": listed,
        "writes": {"entries": writes, "bytes": entry_bytes},
        "witness": {"entries": witness, "bytes": encode_witness(witness)},
        "commit": {"fields": commit, "digest": signed},
        "certificate": {"signatures": signatures, "bytes": encode_certificate(commit, signatures)},
        "paths": [
            {"message": path(ids, i, sha256_of), "receipt": path(leaves, i, sha256_of)} for i in range(len(ids))
        ],
    }


def vouched(**changes):
    return {
        "kind": "data",
        "receivedMs": 1700000000123,
        "nonce": bytes(15) + b"\x01",
        "envelope": None,
        "publisherId": "5102535491156808658",
        "publisherKey": "station-1",
        "eventType": "DEFAULT",
        "eventId": "reading-1",
        "timestampMs": 1700000000000,
        "topic": "",
        "idempotencyKey": "",
        "payload": b'{"temperature":21.5}',
        **changes,
    }


def result(**changes):
    return {
        "appletId": "8661586707360365674",
        "instanceId": "6843045157111370793",
        "handler": "start",
        "codeHash": CODE,
        "code": 0,
        "error": "",
        "message": "",
        "fuel": 0,
        **changes,
    }


def receipt(status, results=(), first=0, count=0, detail=""):
    return {"status": status, "effects": {"first": first, "count": count}, "detail": detail, "results": list(results)}


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "envelope.json")) as file:
    ENVELOPE = bytes.fromhex(next(v["binary"] for v in json.load(file)["valid"] if v["name"] == "ed25519"))

ONE = batch(
    height=1,
    previous=bytes(32),
    state=bytes(32),
    time_ms=1700000000125,
    entries=[{"message": vouched(), "receipt": receipt("ok", [result()])}],
    effects=[],
    writes=[
        {"type": "kv", "namespace": "applet:8661586707360365674", "key": "highest", "value": bytes.fromhex("0000000000803540")}
    ],
    witness=[],
)

SIGNED = vouched(
    receivedMs=1700000000000,
    nonce=bytes.fromhex("0102030405060708"),
    envelope=ENVELOPE,
    eventId="0102030405060708_w3b",
    idempotencyKey="nonce:0x0102030405060708",
)
CONFIG = vouched(
    kind="config",
    receivedMs=1700000060000,
    timestampMs=1700000060000,
    nonce=bytes(15) + b"\x02",
    publisherId="",
    publisherKey="",
    eventType="",
    eventId="",
    payload=b'{"op":"env.put","env":[["LIMIT","20"]]}',
)
MQTT = vouched(
    receivedMs=1700000060001,
    nonce=bytes(15) + b"\x03",
    eventType="température",
    eventId="3",
    topic="aid_1_weather/température",
    payload=bytes(range(200)),
)
TRANSACTION = {
    "kind": "transaction",
    "chainId": 31337,
    "chainName": "",
    "to": "0x5fbdb2315678afecb367f032d93f642f64180aa3",
    "value": 10**18,
    "data": "0x40c10f19",
    "operator": "default",
}
TWO = batch(
    height=2,
    previous=ONE["header"]["hash"],
    state=ONE["commit"]["fields"]["state"],
    time_ms=1700000060002,
    entries=[
        {"message": SIGNED, "receipt": receipt("ok", [result(code=3)], first=0, count=4)},
        {"message": CONFIG, "receipt": receipt("applied", first=4, detail='{"ok":true}')},
        {
            "message": MQTT,
            "receipt": receipt("failed", [result(code=-1, error="TRAP", message="unreachable"), result(code=-7)], first=4, count=1),
        },
    ],
    effects=[
        (0, TRANSACTION),
        (0, {"kind": "mqtt", "topic": "aid_1_weather/alarm", "payload": b"hot"}),
        (0, {"kind": "metric", "json": '{"highest":21.5}'}),
        (0, {"kind": "event", "eventType": "mittel", "payload": b'{"mean":21.5}'}),
        (2, {"kind": "api", "method": "GET", "url": "/system/hello", "header": {"eventtype": ["HELLO"]}, "body": b"", "eventType": "HELLO"}),
    ],
    writes=[
        {"type": "kv", "namespace": "prefix:stations", "key": "Kälte", "value": b""},
        {
            "type": "sql",
            "statement": "INSERT INTO readings (station, value, raw, note) VALUES (?, ?, ?, ?) RETURNING id, station",
            "params": [
                {"type": "string", "text": "string station-1"},
                {"type": "float64", "text": "number 21.5"},
                {"type": "bytes", "text": "x00ff"},
                {"type": "null", "text": "object null"},
            ],
            "changes": 1,
            "rows": [["bigint 1", "string station-1"]],
        },
        {"type": "definition", "kind": "env", "id": "", "value": '[["LIMIT","20"]]'},
    ],
    witness=[
        {"messageIndex": 0, "kind": "sign", "answered": 1, "answer": b'{"hash":"0x01"}'},
        {"messageIndex": 2, "kind": "call", "answered": 0, "answer": b"CHAIN_UNREACHABLE"},
    ],
)

HISTORY = {"project": PROJECT, "member": {"secretKey": word(SECRET), "address": MEMBER}, "batches": [ONE, TWO]}


def shown(value):
    """Bytes as hexadecimal with prefix; numbers that JSON readers may round as text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(v) for v in value]
    return str(value) if isinstance(value, int) and value > 2**53 - 1 else value


print(json.dumps(shown(HISTORY), indent=1, ensure_ascii=False))
