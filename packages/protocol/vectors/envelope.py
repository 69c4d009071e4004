"""Makes envelope.json: signed envelopes and broken ones, for every implementation of docs/spec/envelope.md.

Written against the specification and the library `cryptography`, apart from the TypeScript code that is tested with it.
Run: python3 packages/protocol/vectors/envelope.py > packages/protocol/vectors/envelope.json
"""
import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

DOMAIN = b"w3bstream/envelope/v1"
CURVES = {"secp256k1": (ec.SECP256K1(), b"\xe7\x01"), "p256": (ec.SECP256R1(), b"\x80\x24")}
ORDERS = {
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}


def uint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def lengthed(value):
    return uint(len(value)) + value


def base58(value):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(value, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(value) - len(value.lstrip(b"\0"))) + text


class Device:
    def __init__(self, kind, secret):
        self.kind, self.secret = kind, secret
        if kind == "ed25519":
            self.key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.public = b"\xed\x01" + raw
        else:
            curve, prefix = CURVES[kind]
            self.key = ec.derive_private_key(int.from_bytes(secret, "big"), curve)
            point = serialization.PublicFormat.CompressedPoint
            self.public = prefix + self.key.public_key().public_bytes(serialization.Encoding.X962, point)

    def sign(self, digest, high_s=False):
        if self.kind == "ed25519":
            return self.key.sign(digest)
        algorithm = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = decode_dss_signature(self.key.sign(digest, algorithm))
        order = ORDERS[self.kind]
        if (s > order // 2) != high_s:
            s = order - s
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def body(device, e, version=1, time=None):
    return (
        bytes([version])
        + e["project"]
        + lengthed(device.public)
        + lengthed(e["nonce"])
        + (uint(e["timestampMs"]) if time is None else time)
        + lengthed(e["eventType"])
        + lengthed(e["eventId"])
        + lengthed(e["payload"])
    )


def sign(device, e, **changes):
    high_s = changes.pop("high_s", False)
    encoded = body(device, e, **changes)
    digest = hashlib.sha256(DOMAIN + encoded).digest()
    return encoded, digest, device.sign(digest, high_s)


def base(**changes):
    e = {
        "project": bytes(range(32)),
        "nonce": bytes.fromhex("0102030405060708"),
        "timestampMs": 1700000000000,
        "eventType": b"DEFAULT",
        "eventId": b"",
        "payload": b'{"temperature":21.5}',
    }
    return {**e, **changes}


def valid(name, device, e):
    encoded, digest, signature = sign(device, e)
    fields = {
        "w3b": 1,
        "project": "0x" + e["project"].hex(),
        "device": "did:key:z" + base58(device.public),
        "nonce": "0x" + e["nonce"].hex(),
        "timestampMs": e["timestampMs"],
        "eventType": e["eventType"].decode(),
        **({"eventId": e["eventId"].decode()} if e["eventId"] else {}),
        "payload": base64.b64encode(e["payload"]).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    return {
        "name": name,
        "keyType": device.kind,
        "secretKey": device.secret.hex(),
        "digest": digest.hex(),
        "binary": (encoded + signature).hex(),
        "json": fields,
    }


ED, K1, P256 = Device("ed25519", bytes([1]) * 32), Device("secp256k1", bytes([2]) * 32), Device("p256", bytes([3]) * 32)

VALID = [
    valid("ed25519", ED, base()),
    valid("secp256k1", K1, base()),
    valid("p256", P256, base()),
    valid("empty payload", ED, base(payload=b"")),
    valid("longest nonce, time zero", P256, base(nonce=bytes(range(32)), timestampMs=0)),
    valid("latest time, text beyond ASCII", K1, base(timestampMs=2**48 - 1, eventType="température".encode(), eventId="Kältekammer 7".encode())),
    valid("payload that is no text, two-byte length", P256, base(payload=bytes(range(256)))),
]


def refused(name, code, binary):
    return {"name": name, "code": code, "binary": binary.hex()}


def joined(device, e, **changes):
    encoded, _, signature = sign(device, e, **changes)
    return encoded + signature


def foreign(prefix, key):
    device = Device("ed25519", bytes([1]) * 32)
    device.public = prefix + key
    return device


def flipped(value, position):
    return value[:position] + bytes([value[position] ^ 1]) + value[position + 1 :]


GOOD = joined(ED, base())
UTF8 = base(eventType=b"\xff\xfe")
UNDECODABLE = [
    refused("no bytes", "CODEC_TRUNCATED", b""),
    refused("last byte missing", "CODEC_TRUNCATED", GOOD[:-1]),
    refused("one byte too many", "CODEC_TRAILING", GOOD + b"\0"),
    refused("version 2", "CODEC_VALUE", joined(ED, base(), version=2)),
    refused("nonce of 7 bytes", "CODEC_VALUE", joined(ED, base(nonce=bytes(7)))),
    refused("nonce of 33 bytes", "CODEC_LIMIT", joined(ED, base(nonce=bytes(33)))),
    refused("time in a longer form than needed", "CODEC_VALUE", joined(ED, base(), time=b"\x81\x00")),
    refused("time beyond 48 bits", "CODEC_VALUE", joined(ED, base(timestampMs=2**48))),
    refused("no event type", "CODEC_VALUE", joined(ED, base(eventType=b""))),
    refused("event type of 257 bytes", "CODEC_LIMIT", joined(ED, base(eventType=b"a" * 257))),
    refused("event type that is no UTF-8", "CODEC_VALUE", joined(ED, UTF8)),
    refused("unknown kind of key", "CODEC_VALUE", joined(foreign(b"\xec\x01", ED.public[2:]), base())),
    refused("key of 31 bytes", "CODEC_VALUE", joined(foreign(b"\xed\x01", ED.public[2:-1]), base())),
    refused("uncompressed point", "CODEC_LIMIT", joined(foreign(b"\x80\x24", b"\x04" + bytes(64)), base())),
    refused("key of small order", "CODEC_VALUE", joined(foreign(b"\xed\x01", b"\x01" + bytes(31)), base())),
    refused("key in a second form (y = p + 3)", "CODEC_VALUE", joined(foreign(b"\xed\x01", b"\xf0" + b"\xff" * 30 + b"\x7f"), base())),
    refused("secp256k1 with high s", "CODEC_VALUE", joined(K1, base(), high_s=True)),
    refused("p256 with high s", "CODEC_VALUE", joined(P256, base(), high_s=True)),
]

UNSIGNED = [
    refused("ed25519, payload changed", "ENVELOPE_SIGNATURE", flipped(GOOD, len(GOOD) - 66)),
    refused("ed25519, other project", "ENVELOPE_SIGNATURE", flipped(GOOD, 1)),
    refused("ed25519, R changed", "ENVELOPE_SIGNATURE", flipped(GOOD, len(GOOD) - 64)),
    refused("ed25519, s + L", "ENVELOPE_SIGNATURE", GOOD[:-32] + (int.from_bytes(GOOD[-32:], "little") + 2**252 + 27742317777372353535851937790883648493).to_bytes(32, "little")),
    refused("secp256k1, r zero", "ENVELOPE_SIGNATURE", joined(K1, base())[:-64] + bytes(32) + joined(K1, base())[-32:]),
    refused("p256, s zero", "ENVELOPE_SIGNATURE", joined(P256, base())[:-32] + bytes(32)),
    refused("p256, x of the key on no point", "ENVELOPE_SIGNATURE", body(foreign(b"\x80\x24", b"\x02" + b"\xff" * 32), base()) + bytes(31) + b"\1" + bytes(31) + b"\1"),
    refused("signed without the domain", "ENVELOPE_SIGNATURE", body(ED, base()) + ED.sign(hashlib.sha256(body(ED, base())).digest())),
    refused("signature of another device", "ENVELOPE_SIGNATURE", body(P256, base()) + Device("p256", bytes([4]) * 32).sign(hashlib.sha256(DOMAIN + body(P256, base())).digest())),
]

print(json.dumps({"valid": VALID, "invalid": UNDECODABLE + UNSIGNED}, indent=1, ensure_ascii=False))
