"""What a client costs before its first token."""

import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness import machine
from harness.clients import Load
from harness.table import comparison, markdown


def _first_connect_ms(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        command = [*map(str, client.command(f"http://127.0.0.1:{listener.getsockname()[1]}", Load(2, 20, 10)))]
        with machine.only_on(machine.cores()[0]):
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            listener.accept()[0].close()
            return (time.monotonic() - began) * 1000
        except TimeoutError:
            return None
        finally:
            process.kill()
            process.wait()
            client.tidy()


def startup(plan):
    """From exec to the first connection, two agents; profile read and plugins loaded. raw_epoll's is the process itself"""
    rows = []
    for turn in range(max(plan.repeats, plan.scaled(10, 1))):
        shift = turn % len(plan.clients)
        for client in plan.clients[shift:] + plan.clients[:shift]:
            rows.append({"client": client.name, "start_up_ms": _first_connect_ms(client)})
    return rows, comparison(rows, [("start_up_ms", "ms")], "raw_epoll")


def size(plan):
    """Files on disk, stripped: the host with two plugins"""
    plugins = plan.paths.build / "lib" / "chimera"
    files = [plan.paths.bin / "chimera-host", plugins / "thread_pool.so", plugins / "socket.so"]
    rows = []
    with tempfile.NamedTemporaryFile() as stripped:
        for file in files:
            subprocess.run(["strip", "-o", stripped.name, file], check=True)
            rows.append({"client": file.name, "bytes": Path(stripped.name).stat().st_size})
    rows.append({"client": "together", "bytes": sum(row["bytes"] for row in rows)})
    return rows, markdown(["file", "MB"], [[row["client"], f"{row['bytes'] / 1e6:.2f}"] for row in rows])
