"""authlib under Flask, on a port of its own. Prints `ready` and what the tests need to know, in one line, and ends with
its stdin.

Its clients say who they are by Basic that is *not* form-encoded: authlib reads a plus as a plus. The device flow is as in
oidc-provider, but for `slow_down`, which that one does not know. `/approve` is what a person would do.
"""

import json
import os
import sys
import threading
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict, SlowDownError
from flask import Flask, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

INTERVAL = 1
SLOWER_BY = 5


class Client(ClientMixin):
    def __init__(self, client_id, method, secret=None):
        self.client_id, self.method, self.secret = client_id, method, secret

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_client_secret(self, secret):
        return secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_grant_type(self, grant_type):
        return True


RAW_SECRET = "p:a+s s&w=o/r?d\"\\%~é"
CLIENTS = {
    "raw": Client("raw", "client_secret_basic", RAW_SECRET),
    "device": Client("device", "none"),
}

devices = {}
approved = set()
log = []


class Device(DeviceAuthorizationEndpoint):
    INTERVAL = INTERVAL

    def get_verification_uri(self):
        return request.host_url + "approve"

    def save_device_credential(self, client_id, scope, data):
        credential = DeviceCredentialDict(data, client_id=client_id, scope=scope)
        # Nobody is slow enough for the first poll.
        devices[data["device_code"]] = {"credential": credential, "interval": INTERVAL, "next": float("inf")}


class DeviceGrant(DeviceCodeGrant):
    def query_device_credential(self, device_code):
        device = devices.get(device_code)
        return device and device["credential"]

    def query_user_grant(self, user_code):
        return ("somebody", True) if user_code in approved else None

    def validate_device_credential(self, credential):
        """Who asks too early gets nothing, approved or not."""
        if self.should_slow_down(credential):
            raise SlowDownError()
        # What was seen just now is not too early once more.
        self.should_slow_down = lambda _: False
        return super().validate_device_credential(credential)

    def should_slow_down(self, credential):
        device = devices[credential["device_code"]]
        now = time.monotonic()
        is_too_early = now < device["next"]
        if is_too_early:
            device["interval"] += SLOWER_BY
        device["next"] = now + device["interval"]
        return is_too_early


app = Flask(__name__)
oauth = AuthorizationServer(app, query_client=CLIENTS.get, save_token=lambda token, request: None)
oauth.register_grant(ClientCredentialsGrant)
oauth.register_grant(DeviceGrant)
oauth.register_endpoint(Device)


@app.post("/token")
def token():
    response = oauth.create_token_response()
    log.append(response.get_json().get("error", "token"))
    return response


@app.post("/device_authorization")
def device_authorization():
    return oauth.create_endpoint_response(Device.ENDPOINT_NAME)


@app.post("/approve")
def approve():
    approved.add(request.form["user_code"])
    return ""


@app.get("/log")
def tell_log():
    """What came of each request to the token endpoint."""
    return jsonify(log)


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
issuer = f"http://127.0.0.1:{server.port}"
print("ready", json.dumps({"issuer": issuer, "raw_secret": RAW_SECRET}), flush=True)
threading.Thread(target=end_with_stdin, daemon=True).start()
server.serve_forever()
