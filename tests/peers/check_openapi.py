"""The OpenAPI document is valid, and the server does what it says, for requests that nobody here thought of."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from openapi_spec_validator import validate

from records import records
from server import ADMIN, Server

BINARY = os.environ["REQLOG_BINARY"]
PROJECT = "abcdefghijklmnopqrstuvwx"
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance",
]


def values(server):
    """What captured path segments take, so that generated requests reach what is there."""
    made = records(7, 60)
    body = {"headers": [["content-type", "application/json"]], "body": {"size": 9, "content_type": "application/json", "text": '{"a":[1]}'}}
    made += [
        {"kind": "exchange", "time": "2026-06-23T12:00:00Z", "session": "s1", "method": "POST", "path": "/v1/pay", "status": 201, "duration_ms": 3.5, "request": body, "response": body},
        {"kind": "request", "time": "2026-06-23T12:00:01Z", "method": "GET", "path": "/half"},
        {"kind": "response", "time": "2026-06-23T12:00:02Z", "status": 200},
    ]
    server.ingest(made, PROJECT)
    own = server.json("/api/v1/logs?q=path:/v1/pay")["items"][0]["id"]
    scrip = server.json("/v1/logs?method=post")["data"][0]["id"]
    cognigy = server.json(f"/v2.1/projects/{PROJECT}/logs?startDate=2026-06-23&endDate=2026-06-23")["items"][0]["_id"]
    return {"own": own, "flowmock": f"log_{own}", "scrip": scrip, "cognigy": cognigy}


def settings(ids, document):
    """A configuration that gives path parameters their values, operation by operation."""
    lines = []
    for path, item in document["paths"].items():
        for operation in item.values():
            given = {
                name: value
                for name, value in {
                    "id": ids["scrip"] if path.startswith("/v1/") else ids["own"],
                    "logId": ids["flowmock"],
                    "sessionKey": "s1",
                    "projectId": PROJECT,
                    "logEntryId": ids["cognigy"],
                }.items()
                if f"{{{name}}}" in path
            }
            if given:
                pairs = ", ".join(f'"path.{name}" = {json.dumps(value)}' for name, value in given.items())
                lines += ["[[operations]]", f'include-operation-id = "{operation["operationId"]}"', f"parameters = {{ {pairs} }}", ""]
    return "\n".join(lines)


class OpenApi(unittest.TestCase):
    def run_generated(self, server, document, *arguments, ids=None, cases="40"):
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "schemathesis.toml")
            with open(config, "w", encoding="utf-8") as file:
                file.write(settings(ids, document) if ids else "")
            command = [
                sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", f"{server.url}/openapi.json",
                "-H", f"Authorization: Bearer {ADMIN}", "-c", ",".join(CHECKS), "-n", cases, "--seed", "1",
                "--phases", "coverage,fuzzing", "--continue-on-failure", "--warnings", "off", *arguments,
            ]
            ended = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            self.assertEqual(ended.returncode, 0, ended.stdout[-8000:] + ended.stderr[-2000:])
            return ended.stdout

    def test_the_document_is_valid(self):
        with Server(BINARY) as server:
            validate(server.json("/openapi.json"))

    def test_generated_requests_are_answered_as_documented(self):
        with Server(BINARY) as server:
            document = server.json("/openapi.json")
            ids = values(server)
            # what destroys runs by itself, below
            for given in [None, ids]:
                # streams have no end to wait for; the wire vectors hold them to the document
                told = self.run_generated(
                    server, document, "--exclude-method", "DELETE", "--exclude-path-regex", "/(tail|stream)$", ids=given
                )
                self.assertIn(" passed", told)
            self.assertEqual(server.ask("/readyz")[0], 200)

    def test_generated_deletions_are_answered_as_documented(self):
        with Server(BINARY) as server:
            values(server)
            self.run_generated(server, server.json("/openapi.json"), "--include-method", "DELETE")


if __name__ == "__main__":
    unittest.main()
