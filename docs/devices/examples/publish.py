"""Publishes one event over HTTP with Python's standard library only; sends it again safely when the node is busy.

  python3 publish.py http://localhost:8889 aid_1_demo w3b_TOKEN '{"temperature":21.5}'
"""
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


def publish(node, channel, token, payload, event_type="DEFAULT", attempts=6):
    """The node's answer as a dict. Raises urllib.error.HTTPError when the event is refused."""
    query = urllib.parse.urlencode({"eventType": event_type, "timestamp": int(time.time() * 1000)})
    url = f"{node}/srv-applet-mgr/v0/event/{urllib.parse.quote(channel)}?{query}"
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/octet-stream",
        # The same key for all attempts: the event runs once, however often it arrives.
        "Idempotency-Key": str(uuid.uuid4()),
    }
    for attempt in range(attempts):
        request = urllib.request.Request(url, payload, headers, method="POST")
        last = attempt == attempts - 1
        try:
            with urllib.request.urlopen(request, timeout=15) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503) or last:
                raise
            wait = float(error.headers.get("Retry-After") or 2**attempt)
        except OSError:
            if last:
                raise
            wait = 2**attempt
        time.sleep(min(wait, 30))
    raise ValueError("at least one attempt is needed")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    node, channel, token, payload = sys.argv[1:]
    print(json.dumps(publish(node, channel, token, payload.encode()), indent=2))
