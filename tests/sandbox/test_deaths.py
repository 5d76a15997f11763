"""The process ends: asked, killed, or with its parent; and nothing it said is lost."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.sandbox.outside import SALE, Caller, Outside, calling

FIELDS = {**SALE, "amount": 7, "currency": "eur"}


async def busy(caller: Caller, who: int, answered: dict[str, str]) -> None:
    """Sell until the provider dies; note what was answered."""
    for n in range(10_000):
        key = f"{who}-{n}"
        try:
            reply = await caller.post("payment_intents", FIELDS, key=key)
        except aiohttp.ClientError:
            return
        assert reply.status == 200
        answered[key] = reply.body["id"]


@pytest.mark.proves("I4")
async def test_a_kill_loses_nothing_that_was_answered(own: Outside) -> None:
    answered: dict[str, str] = {}
    for _ in range(3):
        async with calling(own) as caller:
            tasks = [asyncio.create_task(busy(caller, who, answered)) for who in range(16)]
            await asyncio.sleep(0.6)
            own.kill()
            await asyncio.gather(*tasks)
        own.start()
    assert len(answered) > 100
    async with calling(own) as caller:
        rows = await caller.book(kind="capture")
        booked = {row["idempotency_key"]: row["payment_ref"] for row in rows}
        assert len(booked) == len(rows), "a key took the money twice"
        assert {key: booked[key] for key in answered} == answered
        for key, intent in list(answered.items())[-20:]:
            assert (await caller.get(f"payment_intents/{intent}")).body["status"] == "succeeded"
            again = await caller.post("payment_intents", FIELDS, key=key)
            assert again.body["id"] == intent


async def test_it_ends_cleanly_while_somebody_is_held(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.order("faults", {"fault": "never_answer"})
        held = asyncio.create_task(caller.post("payment_intents", FIELDS, key="held"))
        await asyncio.sleep(0.3)
        assert await asyncio.to_thread(own.stop) == 0
        with pytest.raises(aiohttp.ClientError):
            await held


async def test_what_is_under_way_is_finished_before_the_end(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.fault("answer_late", delay_ms=60_000)
        slow = asyncio.create_task(caller.post("payment_intents", FIELDS, key="slow"))
        await asyncio.sleep(0.3)
        assert await asyncio.to_thread(own.stop) == 0
        assert (await slow).status == 200


def test_two_do_not_share_a_folder(own: Outside) -> None:
    command = [sys.executable, "-m", "guilder_sandbox", "--home", str(own.home), "--port", "0"]
    second = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert second.returncode == 1
    assert b"Another sandbox" in second.stderr


def test_a_taken_port_is_said_in_a_sentence(own: Outside, tmp_path: Path) -> None:
    port = own.url.rpartition(":")[2]
    command = [sys.executable, "-m", "guilder_sandbox", "--home", str(tmp_path), "--port", port]
    second = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert second.returncode == 1
    assert b"cannot listen" in second.stderr
    assert b"Traceback" not in second.stderr


PARENT = """
import subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-m", "guilder_sandbox", "--home", sys.argv[1], "--port", "0", "--json",
     "--end-with-parent"], stdout=subprocess.PIPE)
sys.stdout.buffer.write(child.stdout.readline())
sys.stdout.flush()
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells of a parent's death")
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as told:
        ready = told.readline()
        parent.kill()
        parent.wait(10)
    said = msgspec.json.decode(ready)
    fell_silent = _falls_silent(int(said["sandbox"].rpartition(":")[2]))
    if not fell_silent:
        os.kill(said["pid"], signal.SIGKILL)
    assert fell_silent


def _falls_silent(port: int) -> bool:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.1)
    return False


async def test_a_book_that_cannot_be_written_takes_no_money(own: Outside) -> None:
    async with calling(own) as caller:
        paid = (await caller.sale()).body
        blocker = sqlite3.connect(own.home / "sandbox.sqlite", isolation_level=None)
        blocker.execute("begin immediate")
        replies = [await caller.post("payment_intents", FIELDS, key="blocked")]
        replies.append(await caller.post("refunds", {"payment_intent": paid["id"]}))
        blocker.execute("rollback")
        blocker.close()
        assert [reply.status for reply in replies] == [500, 500]
        assert len(await caller.book()) == 2
        assert (await caller.post("payment_intents", FIELDS, key="blocked")).status == 200
        back = await caller.post("refunds", {"payment_intent": paid["id"]})
        assert (back.status, back.body["amount"]) == (200, 1050)
        assert len(await caller.book()) == 5


async def test_a_long_log_is_brought_into_the_file_while_it_works(own: Outside) -> None:
    async with calling(own) as caller:
        big = {**FIELDS, **{f"metadata[k{n}]": "v" * 500 for n in range(50)}}
        for _ in range(20):
            posts = (caller.post("payment_intents", big) for _ in range(16))
            assert {reply.status for reply in await asyncio.gather(*posts)} == {200}
        log, file = own.home / "sandbox.sqlite-wal", own.home / "sandbox.sqlite"
        assert file.stat().st_size > 20_000_000
        assert log.stat().st_size < 64_000_000
        assert len(await caller.book(kind="capture")) == 320


def test_the_friendly_line_is_for_people(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "guilder_sandbox", "--home", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.readline().decode()
        os.kill(child.pid, signal.SIGINT)
        assert child.wait(15) == 0
    assert said.startswith("The sandbox is ready at http://127.0.0.1:")
