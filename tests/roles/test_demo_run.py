"""The demo itself, with everything real: its orders, its books, and what it survives."""

import re
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from guilder.plumbing.postgres.place import remove_cluster
from guilder.roles.demo.orders import COLUMNS
from tests.roles.demos import SECONDS_MAX, Demo, all_end

HEADER = ",".join(COLUMNS)
SOLO, POSTGRES, SANDBOX = "guilder.roles solo", "bin/postgres -D", "guilder_sandbox"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A home that several demos of this file work in, one after the other."""
    folder = tmp_path_factory.mktemp("demo") / "home"
    yield folder
    remove_cluster(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Generator[Path]:
    """A home of one's own, for those who disturb it."""
    folder = tmp_path / "home"
    yield folder
    if folder.exists():
        remove_cluster(folder)


@pytest.fixture(scope="module")
def shipped(home: Path) -> Generator[dict[str, Any]]:
    """What the demo says of the orders that ship, on a fresh home."""
    with Demo(home) as demo:
        yield demo.finish() | {"said": demo.said}


def orders_file(folder: Path, *rows: str) -> str:
    file = folder / "orders.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(file)


def some_orders(count: int) -> list[str]:
    """Orders of every kind, enough of them for something to happen meanwhile."""
    kinds = [
        "EUR,pm_card_visa,automatic,,,",
        "JPY,pm_card_jcb,manual,capture:700;refund:200,,",
        "KWD,pm_card_amex,automatic,refund,,",
        "USD,pm_card_visa,manual,void,,",
        "GBP,pm_card_chargeDeclined,automatic,,,",
        "EUR,pm_card_mastercard,automatic,refund:300;refund,duplicate,",
    ]
    rows = [f"o{n},Shop {n % 3},{1000 + 10 * n},{kinds[n % len(kinds)]}" for n in range(count)]
    rows[count // 2] = "silent,Shop 0,7770,USD,pm_card_visa,automatic,,silent_after_booking,"
    return rows


def is_in_order(told: dict[str, Any], orders: int) -> None:
    """Every order is as wanted, and the books of all three agree."""
    assert told["wrong"] == []
    assert (told["exit"], told["status"]) == (0, 0)
    assert (told["orders"], told["as_wanted"]) == (orders, orders)
    assert told["books_agree"]
    assert told["violations"] == []
    assert all(line["difference_minor"] == 0 for line in told["trial_balance"])


@pytest.mark.proves("I1", "I2", "I3", "I4", "I6", "S4-28")
def test_the_shipped_orders_end_as_wanted_and_three_books_agree(shipped: dict[str, Any]) -> None:
    is_in_order(shipped, 62)
    assert shipped["states"] == {
        "authorized": 2,
        "captured": 30,
        "declined": 12,
        "partially_captured": 4,
        "partially_refunded": 4,
        "refunded": 8,
        "reversed": 2,
    }
    assert (shipped["payments"], shipped["attempts"]) == (62, 92)
    assert shipped["provider_movements"] == 126
    assert {line["currency"] for line in shipped["trial_balance"]} == {
        *("BHD", "EUR", "GBP", "JPY", "KRW", "KWD", "USD")
    }


@pytest.mark.proves("S15")
def test_every_event_reaches_its_merchant_with_a_good_signature(shipped: dict[str, Any]) -> None:
    assert shipped["webhooks"] == {"verified": 92, "repeated": 0, "refused": 0, "lost": []}


def test_it_is_quick_and_small(shipped: dict[str, Any]) -> None:
    assert shipped["elapsed_ms"] < 60_000
    assert 0 < shipped["peak_rss_mb"] <= shipped["limit_mb"] == 512


def test_it_says_how_far_it_is(shipped: dict[str, Any]) -> None:
    assert " of 62 orders through" in shipped["said"]
    assert "the three books agree" in shipped["said"]


def test_a_second_demo_in_the_same_home_is_a_run_of_its_own_and_names_bad_lines(
    shipped: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    file = orders_file(
        tmp_path,
        "b1,Shop,1000,EUR,pm_card_visa,,,,",
        "b2,Shop,10.50,EUR,pm_card_visa,,,,",
        "b3,Shop,1000,EURO,pm_card_gold,,,,",
        "b4,Shop,1000,EUR",
        "b5,Shop,1000,EUR,pm_card_visa,,,,a note, and more",
        "b6,Shop,1000,EUR,pm_card_visa,,give back,,",
        "b7,Shop,700,JPY,pm_card_jcb,manual,capture:500,,",
    )
    with Demo(home, "--orders", file) as demo:
        told = demo.finish()
    assert [(bad["row"], bad["column"]) for bad in told["bad_lines"]] == [
        (3, "amount_minor"),
        (4, "currency"),
        (4, "card"),
        (5, "card"),
        (6, "10"),
        (7, "then"),
    ]
    assert (told["exit"], told["orders"], told["as_wanted"]) == (1, 2, 2)
    assert len(told["wrong"]) == len(told["bad_lines"])
    assert told["states"] == {"captured": 1, "partially_captured": 1}
    assert told["runs"] != shipped["runs"]
    assert not told["resumed"]
    assert told["books_agree"]
    assert told["payments"] == shipped["payments"] + 2, "the whole book of the home is compared"
    assert told["violations"] == []


def test_people_read_the_trail_of_each_payment_by_one_id(home: Path, tmp_path: Path) -> None:
    row = "t1,Shop,1000,EUR,pm_card_visa,manual,capture:2000;capture:400,other_body,"
    with Demo(home, "--orders", orders_file(tmp_path, row), as_json=False) as demo:
        out, _ = demo.child.communicate(timeout=SECONDS_MAX)
    assert demo.child.returncode == 0, out
    block = out.split("\n\n")[1].splitlines()
    assert block[0].startswith("t1  Shop  EUR 10.00  partially_captured  pay_")
    told = [" ".join(line.split()) for line in block[1:]]
    run = told[0].split()[1].partition(":")[0]
    for begins, holds in (
        (f"request {run}:t1:pay answered 201", ""),
        (f"{run}:t1:2-capture answered 200", ""),
        ("attempt authorize EUR 10.00 succeeded at stripe pi_", "att_"),
        ("capture EUR 4.00 succeeded at stripe pi_", "att_"),
        ("posted EUR 4.00 clearing at stripe ← merchant_payable ent_", ""),
        ("event payment.authorized evt_", ""),
        ("payment.captured evt_", ""),
        ("delivered, tries 1, signature verified", "del_"),
        ("refused capture:2000: capture_exceeds_authorized, as it must be", ""),
        ("note the same key with another body: refused, idempotency_key_reused", ""),
    ):
        assert any(begins in line and holds in line for line in told), (begins, told)
    assert "the three books agree" in out
    assert "of 512 MB" in out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        (HEADER, "a header and no orders"),
        ("1,Shop,1000,EUR,pm_card_visa", "does not name the column order"),
    ],
)
def test_a_file_that_is_none_of_orders_is_refused_in_a_sentence(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(text, encoding="utf-8")
    with Demo(tmp_path / "home", "--orders", str(file)) as demo:
        assert demo.finish()["exit"] == 2
    assert why in demo.said
    assert demo.said.count("\n") == 1


def test_a_missing_file_and_a_real_key_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with Demo(tmp_path / "home", "--orders", str(tmp_path / "none.csv")) as demo:
        assert demo.finish()["exit"] == 2
    assert "none.csv cannot be read: No such file" in demo.said
    with Demo(tmp_path / "home", GUILDER_STRIPE_TEST_KEY="sk_test_x") as demo:
        assert demo.finish()["exit"] == 2
    assert "unset GUILDER_STRIPE_TEST_KEY" in demo.said


@pytest.mark.proves("S27", "I3", "I4", "I11")
@pytest.mark.parametrize(("words", "restarts"), [(SOLO, 1), (POSTGRES, 0), (SANDBOX, 0)])
def test_kill_9_of_any_child_at_work_loses_and_doubles_nothing(
    fresh: Path, tmp_path: Path, words: str, restarts: int
) -> None:
    file = orders_file(tmp_path, *some_orders(30))
    with Demo(fresh, "--orders", file) as demo:
        demo.wait_for_lines("answered", 12)
        demo.kill_child(words)
        told = demo.finish()
    is_in_order(told, 30)
    assert told["restarts"] == restarts


@pytest.mark.proves("S27", "I3", "I4")
def test_a_demo_that_is_killed_leaves_nothing_behind_and_the_next_goes_on(
    fresh: Path, tmp_path: Path
) -> None:
    file = orders_file(tmp_path, *some_orders(30))
    with Demo(fresh, "--orders", file) as first:
        first.wait_for_lines("answered", 12)
        children = first.children()
        assert len(children) > 3
        first.child.kill()
        first.child.wait()
        with Demo(fresh, "--orders", file) as second:
            told = second.finish()
        assert all_end(children)
    is_in_order(told, 30)
    assert told["resumed"]
    assert "going on with the unfinished run" in second.said
    journal = (fresh / "demo" / "journal.jsonl").read_text(encoding="utf-8")
    keys = re.findall(r'"type":"sent","run":"\w+","at":"[^"]+","key":"(\w+):', journal)
    assert {*keys} == {told["runs"][0]}, "all keys are those of the one run"


def test_ctrl_c_ends_all_of_its_children(fresh: Path) -> None:
    with Demo(fresh) as demo:
        demo.wait_for_lines("sent", 5)
        children = demo.children()
        demo.child.send_signal(signal.SIGINT)
        told = demo.finish()
        assert told["exit"] == 130
        assert all_end(children, seconds=1), "they were waited for"
    assert "the next demo in this home goes on with the same keys" in demo.said
