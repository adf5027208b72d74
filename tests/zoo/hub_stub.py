"""A Hugging Face Hub of this machine: as much of its HTTP interface as the client uses for publishing and loading."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import yaml

from tests.local_server import answering

TOKEN = "hf_of_the_right_user"
LARGE = (".safetensors", ".png")


@dataclass
class Repository:
    """Commits, newest last, each with all files; a repository begins with one that holds git's own settings."""

    private: bool = False
    commits: list[tuple[str, str, dict[str, bytes]]] = field(default_factory=list)

    def commit(self, message, files):
        oid = hashlib.sha1(f"{message}{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits.append((oid, message, files))
        return oid

    def at(self, revision):
        """Commit and files of a revision; None if there is none."""
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit[0] == revision), None)


class Hub(ThreadingHTTPServer):
    """The server and its state; ``requests`` are the methods and paths that it was asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        # Under another name, as the Hub's store of large files is: the client sends no token there.
        self.store = f"http://localhost:{self.server_port}/lfs"
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []

    def create(self, name, files=None):
        repository = self.repositories[name] = Repository()
        repository.commit("initial commit", {".gitattributes": b"*.safetensors filter=lfs\n"} | (files or {}))
        return repository


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status=200, content=b"", **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message):
        self.answer(status, {"error": message}, X_Error_Code=code, X_Error_Message=message)

    @property
    def is_known_user(self):
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def repository(self, name):
        """The repository of a name; None, and an answer, where the user may not know of it."""
        found = self.server.repositories.get(name)
        if found is None or (found.private and not self.is_known_user):
            self.refuse(404 if self.is_known_user else 401, "RepoNotFound", "Repository not found")
            return None
        return found

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        parts = path.strip("/").split("/")
        if parts[0] == "lfs":
            self.serve_large(parts[1], body)
        elif parts[:2] == ["api", "validate-yaml"]:
            self.validate(json.loads(body)["content"])
        elif parts[0] != "api" and parts[2:3] == ["resolve"]:
            self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        elif self.command == "GET" and parts[:2] == ["api", "models"]:
            self.describe("/".join(parts[2:4]), parts[4:])
        elif not self.is_known_user:
            self.answer(401, {"error": "Invalid username or password."})
        elif parts == ["api", "whoami-v2"]:
            self.answer(content={"type": "user", "name": "user"})
        elif parts == ["api", "repos", "create"]:
            self.create(json.loads(body))
        elif parts[-4:] == ["info", "lfs", "objects", "batch"]:
            self.answer(
                content={"transfer": "basic", "objects": [self.upload_of(o) for o in json.loads(body)["objects"]]}
            )
        elif parts[4:5] == ["preupload"]:
            self.preupload(json.loads(body)["files"])
        elif parts[4:5] == ["commit"]:
            self.commit("/".join(parts[2:4]), [json.loads(line) for line in body.splitlines()])
        else:
            self.answer(500, {"error": f"the stub does not know {self.command} {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = serve  # noqa: N815

    def serve_large(self, digest, body):
        if self.command == "PUT":
            assert hashlib.sha256(body).hexdigest() == digest
            self.server.large[digest] = body
            self.answer()
        elif self.command == "POST":
            self.answer()
        else:
            self.answer(content=self.server.large[digest], ETag=f'"{digest}"')

    def validate(self, content):
        errors = [] if isinstance(yaml.safe_load(content.split("---")[1]), dict) else [{"message": "no metadata"}]
        self.answer(400 if errors else 200, {"errors": errors, "warnings": []})

    def create(self, asked):
        name = f"{asked['organization'] or 'user'}/{asked['name']}"
        if name.partition("/")[0] != "user":
            self.answer(403, {"error": f"You don't have the rights to create a model under {name}"})
        elif name in self.server.repositories:
            self.answer(409, {"error": "You already created this model repo", "url": f"{self.server.url}/{name}"})
        else:
            self.server.create(name).private = asked.get("visibility") == "private"
            self.answer(content={"url": f"{self.server.url}/{name}"})

    def preupload(self, files):
        modes = [
            {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(LARGE) else "regular", "shouldIgnore": False}
            for f in files
        ]
        self.answer(content={"files": modes})

    def upload_of(self, wanted):
        place = {"href": f"{self.server.store}/{wanted['oid']}"}
        return wanted | {"actions": {"upload": place, "verify": place}}

    def commit(self, name, lines):
        repository = self.repository(name)
        if repository is None:
            return
        files, message = dict(repository.commits[-1][2]), ""
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                message = value["summary"]
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
            else:
                raise AssertionError(line)
        oid = repository.commit(message, files)
        url = f"{self.server.url}/{name}/commit/{oid}"
        self.answer(content={"commitUrl": url, "commitOid": oid, "pullRequestUrl": None})

    def describe(self, name, rest):
        repository = self.repository(name)
        if repository is None:
            return
        found = repository.at(rest[1] if len(rest) > 1 else "main")
        if found is None:
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif rest[:1] == ["tree"]:
            files = [
                {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for path, content in found[2].items()
            ]
            self.answer(content=files)
        else:
            siblings = [{"rfilename": path} for path in found[2]]
            self.answer(content={"id": name, "sha": found[0], "private": repository.private, "siblings": siblings})

    def resolve(self, name, revision, path):
        repository = self.repository(name)
        if repository is None:
            return
        found = repository.at(revision)
        if found is None:
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif path not in found[2]:
            self.refuse(404, "EntryNotFound", "Entry not found")
        else:
            self.send_content(found[0], path, found[2][path])

    def send_content(self, commit, path, content):
        digest = hashlib.sha256(content).hexdigest()
        if path.endswith(LARGE):
            # As the Hub does, which keeps large files elsewhere.
            self.server.large[digest] = content
            linked = {"X_Linked_Etag": f'"{digest}"', "X_Linked_Size": str(len(content))}
            self.answer(302, Location=f"{self.server.store}/{digest}", X_Repo_Commit=commit, **linked)
        elif self.command == "HEAD":
            self.answer(X_Repo_Commit=commit, ETag=f'"{digest[:40]}"', Content_Length=str(len(content)))
        else:
            self.answer(content=content, X_Repo_Commit=commit, ETag=f'"{digest[:40]}"')


def running_hub():
    """A Hub that answers for as long."""
    return answering(Hub())
