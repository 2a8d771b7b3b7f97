"""A server of its own for each check: the real command on an empty directory and a free port."""

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

ADMIN = "admin-key-of-the-checks-by-peers"


class Server:
    """`reqlog serve` until the end of the `with` block."""

    def __init__(self, binary):
        self.binary = binary

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REQLOG_")}
        environment["REQLOG_ADMIN_KEY"] = ADMIN
        arguments = [self.binary, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(self.folder.name, "data")]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment, text=True)
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ").strip().rstrip("/")
                return self
        raise RuntimeError("the server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def ask(self, path, body=None, **fields):
        """Status, header fields and body of one request as the administrator."""
        url = path if path.startswith("http") else self.url + path
        headers = {"Authorization": f"Bearer {ADMIN}"} | {name.replace("_", "-"): value for name, value in fields.items()}
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path, **fields):
        """Body of an answer that must be 200."""
        status, headers, body = self.ask(path, **fields)
        assert status == 200, f"{path}: {status} {body[:300]}"
        return headers, body

    def json(self, path):
        """A JSON answer that must be 200."""
        return json.loads(self.get(path)[1])

    def ingest(self, records, project):
        """Takes records in; all of them must be accepted."""
        lines = "".join(json.dumps(record) + "\n" for record in records)
        status, _, body = self.ask(f"/api/v1/ingest?project={project}", lines.encode())
        assert status == 200, body[:300]
        assert json.loads(body)["accepted"] == len(records), body[:300]
