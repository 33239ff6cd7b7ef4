"""Makes a bucket called `bank` in an emulator, whose own tools are not installed: `bucket.py s3|gs|az ADDRESS`."""

import base64
import email.utils
import hashlib
import hmac
import sys
import urllib.request

# The account that every Azurite has; it is no secret.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def send(method, address, body=None, headers=None):
    request = urllib.request.Request(address, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 201), answer.status


def azure(address):
    headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    named = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    text = "PUT" + "\n" * 12 + f"{named}/{ACCOUNT}/{ACCOUNT}/bank\nrestype:container"
    digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    send("PUT", f"{address}/{ACCOUNT}/bank?restype=container", headers=headers)


def main(kind, address):
    if kind == "s3":
        send("PUT", f"{address}/bank")
    elif kind == "gs":
        send("POST", f"{address}/storage/v1/b?project=p", b'{"name": "bank"}', {"Content-Type": "application/json"})
    else:
        azure(address)


main(*sys.argv[1:])
