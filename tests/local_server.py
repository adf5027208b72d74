"""Servers of this machine, for as long as a test asks them."""

from contextlib import contextmanager
from threading import Thread


@contextmanager
def answering(server):
    """Lets a server of the standard library answer for as long."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
