"""Publishes one signed event (docs/spec/envelope.md). Needs `pip install cryptography`.

  python3 sign.py key                                    makes device.pem and prints the device's DID, to be registered
  python3 sign.py send http://localhost:8888 0xPROJECT '{"temperature":21.5}'
"""
import base64
import hashlib
import json
import os
import sys
import time
import urllib.request

try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError:
    sys.exit(f"the library is missing: pip install cryptography\n\n{__doc__}")

DOMAIN = b"w3bstream/envelope/v1"


def uint(value):
    """Unsigned LEB128, shortest form."""
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def with_length(value):
    return uint(len(value)) + value


def base58(value):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(value, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


def device_bytes(key):
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return b"\xed\x01" + raw


def did(key):
    return "did:key:z" + base58(device_bytes(key))


def seal(key, project, payload, event_type="DEFAULT", nonce=None, timestamp_ms=None):
    """The envelope in its JSON form."""
    nonce = nonce or os.urandom(16)
    timestamp_ms = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
    body = (
        b"\x01"
        + project
        + with_length(device_bytes(key))
        + with_length(nonce)
        + uint(timestamp_ms)
        + with_length(event_type.encode())
        + with_length(b"")  # no event id
        + with_length(payload)
    )
    signature = key.sign(hashlib.sha256(DOMAIN + body).digest())
    return {
        "w3b": 1,
        "project": "0x" + project.hex(),
        "device": did(key),
        "nonce": "0x" + nonce.hex(),
        "timestampMs": timestamp_ms,
        "eventType": event_type,
        "payload": base64.b64encode(payload).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def send(node, envelope):
    request = {"jsonrpc": "2.0", "id": 1, "method": "w3b_publish", "params": {"envelope": envelope}}
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{node}/rpc", body, headers), timeout=15) as response:
        return json.load(response)


def make_key(path):
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return key


def load_key(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments == ["key"]:
        print(did(make_key("device.pem")))
    elif len(arguments) == 4 and arguments[0] == "send":
        _, node, project, payload = arguments
        envelope = seal(load_key("device.pem"), bytes.fromhex(project.removeprefix("0x")), payload.encode())
        print(json.dumps(send(node, envelope), indent=2))
    else:
        sys.exit(__doc__)
