"""A W&B server of this machine: as much of its GraphQL as workspaces, reports and sweeps need, and what it was asked.

A view without an id is a new one, whatever its name: only a client that asks what is there keeps to one of each.
"""

import base64
import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.local_server import answering

KEY = "0123456789abcdef" * 3
ENTITY, PROJECT, DENIED = "team", "genzoo", "denied"
CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = {"endCursor": None, "hasNextPage": False}


class Server(ThreadingHTTPServer):
    """The server and its state; ``asked`` are the names and variables of all operations, in order."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked = []
        self.views = {}
        self.sweep = None
        # What each agent, in the order in which they come, is told to do one after another.
        self.commands = []

    def variables_of(self, operation):
        """The variables of each request of an operation."""
        return [variables for name, variables in self.asked if name == operation]

    def environment(self, home):
        """The environment of a program that is logged in here."""
        return {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")} | {
            "WANDB_BASE_URL": self.url,
            "WANDB_API_KEY": KEY,
            "WANDB_ENTITY": ENTITY,
            "PYTHONPATH": str(CHECKOUT),
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
        }

    def run(self, folder, *program, **environment):
        """The outcome of a Python program that is logged in here; its folder is its home too."""
        return subprocess.run(
            [sys.executable, *program],
            cwd=folder,
            env=self.environment(folder) | environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/graphql":
            self.answer(200, {})
            return
        user = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if user != f"api:{KEY}":
            self.answer(401, {"errors": [{"message": "not logged in"}]})
            return
        request = json.loads(body)
        operation = re.search(r"(?:query|mutation)\s+(\w+)", request["query"])[1]
        variables = request.get("variables") or {}
        self.server.asked.append((operation, variables))
        if DENIED in variables.values():
            self.answer(403, {"errors": [{"message": "permission denied"}]})
            return
        self.answer(200, {"data": getattr(self, operation)(**variables)})

    do_GET = do_POST = do_PUT = serve  # noqa: N815

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def Viewer(self, **_):
        return {
            "viewer": {"id": "1", "username": "someone", "entity": ENTITY, "email": "", "flags": "{}", "teams": None}
        }

    def GetDefaultEntity(self, **_):
        return self.Viewer()

    def GetProjects(self, entity, **_):
        place = {"__typename": "Project", "id": "1", "name": PROJECT, "entityName": ENTITY, "isBenchmark": False}
        node = place | {"createdAt": "2026-01-01T00:00:00", "user": None}
        return {"models": {"pageInfo": PAGE, "edges": [{"node": node}] if entity == ENTITY else []}}

    def project(self, entity, name, **content):
        return {"project": content if (entity, name) == (ENTITY, PROJECT) else None}

    def ProjectViews(self, project, entity, viewType="runs", **_):
        views = [view for view in self.server.views.values() if view["type"] == viewType]
        edges = [{"node": view, "cursor": view["id"]} for view in views]
        return self.project(entity, project, allViews={"edges": edges, "pageInfo": PAGE})

    def View(self, entityName, projectName, viewType, viewName, **_):
        views = [view for view in self.server.views.values() if (view["type"], view["name"]) == (viewType, viewName)]
        return self.project(entityName, projectName, allViews={"edges": [{"node": view} for view in views]})

    def upsertView(self, entityName, projectName, id=None, **view):
        is_new = id is None
        # Reports are found by ids in base 64.
        id = id or base64.b64encode(f"View:{len(self.server.views)}".encode()).decode()
        self.server.views[id] = view | {"id": id, "updatedAt": None, "createdAt": None}
        shown = self.server.views[id] | {"project": {"id": "1", "name": projectName, "entityName": entityName}}
        return {"upsertView": {"view": shown, "inserted": is_new}}

    UpsertView2 = upsertView

    def UpsertSweep(self, config, entityName, projectName, **_):
        self.server.sweep = config
        place = {"id": "1", "name": projectName, "entity": {"id": "1", "name": entityName}}
        return {"upsertSweep": {"sweep": {"name": "swept", "project": place}, "configValidationWarnings": []}}

    def SweepWithRuns(self, **_):
        return {"project": {"sweep": {"id": "1", "name": "swept", "config": self.server.sweep, "runs": {"edges": []}}}}

    def CreateAgent(self, **_):
        return {"createAgent": {"agent": {"id": "agent"}}}

    def Heartbeat(self, runState, **_):
        commands = []
        if not json.loads(runState):
            waiting = self.server.commands[0]
            commands = [waiting.pop(0) if waiting else {"type": "exit"}]
            if commands[0]["type"] == "exit":
                del self.server.commands[0]
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}


def running_server():
    """A server that answers for as long."""
    return answering(Server())
