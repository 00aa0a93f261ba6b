"""A W&B server on localhost: as much of its GraphQL and its filestream as wandb-core asks for in a run's life.

The protocol was read off wandb-core 0.31's own requests and its sources (https://github.com/wandb/wandb/tree/main/core,
`internal/runbranch/resume.go`, `internal/filestream/`). What a real server does beyond that is not known to it: it keeps
lines as they come and answers a resume from them, so it shows what the client sends, not what wandb.ai makes of it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HISTORY, EVENTS, SUMMARY, OUTPUT = "wandb-history.jsonl", "wandb-events.jsonl", "wandb-summary.json", "output.log"


@dataclass
class FakeRun:
    """What the server knows of a run."""

    name: str
    config: str = "{}"
    display: str | None = None
    group: str | None = None
    notes: str | None = None
    job: str | None = None
    sweep: str | None = None
    tags: list[str] = field(default_factory=list)
    state: str = "running"
    exit_code: int | None = None
    lines: dict[str, list[str]] = field(default_factory=lambda: {HISTORY: [], EVENTS: [], SUMMARY: [], OUTPUT: []})
    uploads: dict[str, bytes] = field(default_factory=dict)
    starts: int = 0
    """How many times a process opened it."""

    @property
    def history(self) -> list[dict[str, Any]]:
        """Its rows, in the order of the file."""
        return [json.loads(line) for line in self.lines[HISTORY]]

    @property
    def summary(self) -> dict[str, Any]:
        """The last line of its summary."""
        lines = self.lines[SUMMARY]
        return dict(json.loads(lines[-1])) if lines else {}


class FakeServer(ThreadingHTTPServer):
    """Use as a context: it serves from a thread until the block ends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: dict[str, FakeRun] = {}
        self.views: dict[str, dict[str, Any]] = {}
        """Workspaces by their id, as they were last written."""
        self.reports: dict[str, dict[str, Any]] = {}
        """Reports likewise."""
        self.projects: set[str] = set()
        self.asked: list[str] = []
        """Operations in their order: names of GraphQL, `file_stream`, `upload`."""
        self.holds: Callable[[str], bool] = lambda operation: False
        """Operations that take effect and are never answered."""
        self.refuses: Callable[[str, str], int] = lambda operation, run: 0
        """Status with which an operation of a run is refused, having no effect; 0 where it is not."""
        self.gaps: list[str] = []
        """Lines that came for a place behind the end of their file."""
        self.lock = threading.Lock()
        self.gone = threading.Event()

    @property
    def url(self) -> str:
        """For WANDB_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def die(self) -> None:
        """Refuse connections from now on, and drop the open ones at their next request."""
        if not self.gone.is_set():
            self.gone.set()
            self.shutdown()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here: their broken connections are no news."""

    def wait(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Until something is true of this server."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it did not happen; asked: {self.asked}"
            time.sleep(0.02)

    def graphql(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """The answer's data; nothing for what only serves other features."""
        if operation == "UpsertBucket":
            return {"upsertBucket": self._upsert(given)}
        if operation == "RunResumeStatus":
            entity = {"id": "E", "name": "me"}
            return {"model": {"id": "P", "name": given["project"], "entity": entity, "bucket": self._bucket(given["name"])}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{given['run']}/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}
        if operation == "Viewer":
            viewer = {"id": "V", "entity": "me", "username": "me", "email": "me@example.org", "flags": "{}"}
            return {"viewer": viewer | {"teams": {"edges": []}}}
        if operation == "GetDefaultEntity":
            return {"viewer": {"id": "V", "entity": "me"}}
        if operation == "UpsertView2":
            view = self.views.setdefault(given.get("id") or f"view-{len(self.views)}", {})
            view.update(given)
            return {"upsertView": {"view": {"id": self._id_of(view), "name": view["name"]}, "inserted": not given.get("id")}}
        if operation == "upsertView":
            return {"upsertView": {"view": self._upsert_report(given), "inserted": not given.get("id")}}
        if operation == "SpecificReport":
            return {"view": self.reports.get(given["reportId"])}
        if operation == "ProjectInternalId":
            return {"project": {"id": "P", "internalId": "P1"} if given["projectName"] in self.projects else None}
        if operation == "GetProjects":
            about = {"id": "P", "entityName": "me", "createdAt": "2026-11-28T00:00:00Z", "isBenchmark": False, "user": None}
            nodes = [{"node": about | {"name": name}} for name in sorted(self.projects)]
            return {"models": {"pageInfo": {"endCursor": None, "hasNextPage": False}, "edges": nodes}}
        if operation == "View":
            nodes = [{"node": view | {"id": name}} for name, view in self.views.items() if view["name"] == given["viewName"]]
            return {"project": {"allViews": {"edges": nodes}}}
        return {"serverInfo": {"features": []}} if operation == "ServerFeaturesQuery" else {}

    def _upsert_report(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given.get("id") or base64.b64encode(f"View:{len(self.reports)}".encode()).decode()
        report = self.reports.setdefault(name, {})
        kept = {key: given[key] for key in ("name", "displayName", "description", "spec", "type")}
        project = {"id": "P", "name": given["projectName"], "entityName": given["entityName"]}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        report.update(kept | {"id": name, "project": project, "createdAt": now, "updatedAt": now})
        return report

    def _id_of(self, view: dict[str, Any]) -> str:
        return next(name for name, its in self.views.items() if its is view)

    def stream(self, name: str, body: dict[str, Any]) -> None:
        """A request of the filestream: chunks of lines with their offsets, and perhaps the end of the run."""
        run = self.runs[name]
        for file, chunk in body.get("files", {}).items():
            lines = run.lines[file]
            if chunk["offset"] > len(lines):
                self.gaps.append(f"{file}: line {chunk['offset']} after {len(lines)}")
            lines[chunk["offset"] :] = chunk["content"]
        if body.get("complete"):
            run.state, run.exit_code = "failed" if body["exitcode"] else "finished", body["exitcode"]

    def _upsert(self, given: dict[str, Any]) -> dict[str, Any]:
        inserted = given["name"] not in self.runs
        self.projects.add(given.get("project") or "p")
        run = self.runs.setdefault(given["name"], FakeRun(given["name"]))
        if given.get("host"):  # the first upsert of a process; later ones only bring what changed
            run.state, run.exit_code, run.starts = "running", None, run.starts + 1
        run.config = given.get("config") or run.config
        run.display, run.group = given.get("displayName") or run.display, given.get("groupName") or run.group
        run.tags, run.notes = given.get("tags") or run.tags, given.get("notes") or run.notes
        run.job, run.sweep = given.get("jobType") or run.job, given.get("sweep") or run.sweep
        project = {"id": "P", "name": given.get("project") or "p", "entity": {"id": "E", "name": "me"}}
        names = {
            "id": f"id-{run.name}",
            "name": run.name,
            "displayName": run.display,
            "description": "",
            "sweepName": run.sweep,
        }
        bucket = names | {"config": run.config, "project": project, "historyLineCount": len(run.lines[HISTORY])}
        return {"bucket": bucket, "inserted": inserted}

    def _bucket(self, name: str) -> dict[str, Any] | None:
        run = self.runs.get(name)
        if run is None:
            return None
        counts = {"historyLineCount": HISTORY, "eventsLineCount": EVENTS, "logLineCount": OUTPUT}
        telemetry = json.loads(run.config).get("_wandb", {}).get("value", {}).get("t")
        return {
            "id": f"id-{run.name}",
            "name": run.name,
            "displayName": run.display,
            "summaryMetrics": json.dumps(run.summary),
            "historyTail": json.dumps(run.lines[HISTORY][-1:]),
            "eventsTail": json.dumps(run.lines[EVENTS][-1:]),
            "config": run.config,
            "tags": run.tags,
            "notes": None,
            "wandbConfig": json.dumps({} if telemetry is None else {"t": telemetry}),
        } | {count: len(run.lines[file]) for count, file in counts.items()}


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: FakeServer

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        """GraphQL, filestream, upload."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation, run, act = self._read(body)
        if self.server.gone.is_set():
            self.close_connection = True
            return
        with self.server.lock:
            status = self.server.refuses(operation, run)
            answer = {"errors": [{"message": f"refused with {status}"}]} if status else act()
            self.server.asked.append(operation)
        if self.server.holds(operation):
            self.server.gone.wait()
            self.close_connection = True
            return
        content = json.dumps(answer).encode()
        self.send_response(status or 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PUT(self) -> None:
        """Uploads come this way."""
        self.do_POST()

    def _read(self, body: bytes) -> tuple[str, str, Callable[[], Any]]:
        """The operation, the run that it is about, and what takes effect."""
        parts = self.path.strip("/").split("/")
        if self.path == "/graphql":
            request = json.loads(body)
            named = re.search(r"(?:query|mutation)\s+(\w+)", request.get("query") or "")  # wandb.Api does not say it beside
            name, given = request.get("operationName") or (named[1] if named else ""), request.get("variables") or {}
            return name, str(given.get("name") or given.get("run") or ""), lambda: {"data": self.server.graphql(name, given)}
        if parts[-1] == "file_stream":
            return "file_stream", parts[-2], lambda: self.server.stream(parts[-2], json.loads(body)) or {}
        if parts[0] == "upload":
            uploads = {"/".join(parts[2:]): body}
            return "upload", parts[1], lambda: self.server.runs[parts[1]].uploads.update(uploads) or {}
        return self.path, "", dict  # its own telemetry


def environment(url: str, **more: str) -> dict[str, str]:
    """For a process that talks to this server, and reports to no other."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    ours = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": url, "NO_PROXY": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    return inherited | ours | {"WANDB_ERROR_REPORTING": "false", "WANDB__DISABLE_STATS": "true"} | more
