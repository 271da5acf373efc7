"""`crowdalpha serve` as an operator meets it: start, stop, kill, start again."""

import subprocess
import sys

import httpx2
import psutil  # type: ignore[import-untyped]  # ships no types

from tests.fixtures.served import Served, served

__all__ = ["served"]


def test_a_platform_starts_answers_and_stops_in_order(served: Served) -> None:
    assert httpx2.get(f"{served.url}/health").json() == {"status": "ok"}
    assert served.process is not None
    children = psutil.Process(served.process.pid).children(recursive=True)

    status = served.stop()

    assert status == 0
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert "worker_stopped" in served.log
    served.start()


def test_a_killed_platform_leaves_no_worker_and_starts_again(served: Served) -> None:
    assert served.process is not None
    children = psutil.Process(served.process.pid).children(recursive=True)

    served.kill()
    _, alive = psutil.wait_procs(children, timeout=30)

    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    served.start()
    assert httpx2.get(f"{served.url}/ready").json() == {"status": "ok"}


def test_a_port_in_use_is_named(served: Served) -> None:
    command = [sys.executable, "-m", "crowdalpha", "serve", "--port", str(served.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {served.port} on 127.0.0.1: Address already in use")
