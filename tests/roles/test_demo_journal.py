"""The caller's journal: what it was told stays told, whatever happens to the process."""

from datetime import timedelta
from pathlib import Path

import pytest

from guilder.kernel.clock import Clock
from guilder.roles.demo.journal import RESUMABLE, Journal, JournalTrouble

BODY = b'{"reference":"r:1"}'


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    clock = Clock()
    first = Journal.of(tmp_path, clock)
    first.began("r", "the orders")
    first.opened("r", {"Shop": "mer_1"}, 4711)
    first.about_to_send("r", "key", "/v1/payments", BODY)
    first.faulted("r", 7)
    first.heard("evt_1", "payment.captured")
    first.close()
    second = Journal.of(tmp_path, clock)
    story = second.unfinished()
    assert story is not None
    assert (story.began.orders, story.rules) == ("the orders", [7])
    assert story.opened is not None
    assert (story.opened.port, second.merchants()) == (4711, {"mer_1"})
    assert second.events == {"evt_1"}
    assert bytes(second.sent["key"].body) == BODY
    assert "key" not in second.answers
    second.answered("r", "key", 201, b'{"id":"pay_1"}', is_replay=False)
    second.ended("r")
    second.close()
    third = Journal.of(tmp_path, clock)
    assert third.unfinished() is None
    assert third.answers["key"].status == 201
    assert bytes(third.answers["key"].body) == b'{"id":"pay_1"}'
    third.close()


def test_a_line_is_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, Clock())
    journal.began("r", "")
    journal.about_to_send("r", "key", "/v1/payments", BODY)
    lines = (tmp_path / "demo" / "journal.jsonl").read_bytes().splitlines()
    assert b'"key":"key"' in lines[-1]
    journal.close()


def test_a_line_that_was_cut_off_by_a_kill_is_dropped_and_written_over(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, Clock())
    journal.began("r", "")
    journal.close()
    file = tmp_path / "demo" / "journal.jsonl"
    file.write_bytes(file.read_bytes() + b'{"type":"sent","run":"r","at')
    again = Journal.of(tmp_path, Clock())
    assert again.unfinished() is not None
    again.ended("r")
    again.close()
    last = Journal.of(tmp_path, Clock())
    assert last.unfinished() is None
    last.close()


def test_a_line_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "journal.jsonl").write_text('{"type":"began"}\n')
    with pytest.raises(JournalTrouble, match="line 1 of the journal"):
        Journal.of(tmp_path, Clock())


def test_a_run_whose_keys_may_be_forgotten_is_not_gone_on_with(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal.of(tmp_path, clock)
    journal.began("r", "")
    clock.move(RESUMABLE - timedelta(minutes=1))
    assert journal.unfinished() is not None
    clock.move(timedelta(minutes=2))
    assert journal.unfinished() is None
    journal.close()


def test_two_demos_do_not_write_one_journal(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, Clock())
    with pytest.raises(JournalTrouble, match="another demo works in"):
        Journal.of(tmp_path, Clock())
    journal.close()
    Journal.of(tmp_path, Clock()).close()


def test_the_journal_is_for_its_owner_only(tmp_path: Path) -> None:
    Journal.of(tmp_path / "home", Clock()).close()
    folder = tmp_path / "home" / "demo"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "journal.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_home_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalTrouble, match=r"cannot be written: .*; set GUILDER_HOME"):
        Journal.of(tmp_path / "file" / "home", Clock())
