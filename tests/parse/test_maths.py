"""Numbers, boxed answers and symbolic equality."""

import contextlib
import multiprocessing
import os
import resource
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.core.errors import MissingExtra
from sightline.parse import Boxed, Number, maths, maths_equal, same_number
from sightline.parse.maths import quickly_equal
from sightline.parse.maths_process import MathsProcess


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.5", 1234.5), (" -3 ", -3.0), ("1e3", 1000.0), ("", None), ("nan", None), ("-inf", None), ("1e999", None)],
)
def test_numbers(text, value):
    found = Number()(text)
    assert isinstance(found, Missing) if value is None else found == value


@pytest.mark.parametrize(
    ("a", "b", "same", "same_in_style"),
    [
        ("3.14159", "3.14", True, True),
        ("3.0", "3", True, False),
        ("1,000", "1000", True, False),
        ("1,000", "1000.0", True, True),
        ("nan", "nan", False, False),
        ("3 cm", "3", False, False),
        ("2.51", "2.52", False, False),
    ],
)
def test_same_number(a, b, same, same_in_style):
    assert same_number(a, b) is same
    assert same_number(a, b, same_style=True) is same_in_style


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4))
def test_a_fraction_equals_its_spellings(above, below):
    for spelling in (
        rf"\frac{{{above}}}{{{below}}}",
        rf"$\dfrac{{{above}}}{{{below}}}$",
        rf"\boxed{{{above}/{below}}}",
    ):
        assert quickly_equal(spelling, f"{above}/{below}") is True
    assert quickly_equal(f"{above}/{below}", f"{above + below}/{below}") is False


@pytest.mark.parametrize(
    ("answer", "gold", "verdict"),
    [
        ("$1,000$", "1000.0", True),
        ("x + 1", "x+1", True),
        ("2 1/2", "21/2", None),
        ("1 2", "12", None),
        ("1/3", "0.333333", None),
        ("1/0", "1/0", True),
        ("1/0", "2/0", None),
        ("", "", False),
        ("red", "red", True),
        ("listen", "silent", False),
        ("a cat", "3", False),
    ],
)
def test_what_needs_no_algebra(answer, gold, verdict):
    assert quickly_equal(answer, gold) is verdict


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        (r"\boxed{1} then \boxed{\frac{1}{2}}", "1", r"\frac{1}{2}"),
        (r"\boxed{a\}b}", r"a\}b", r"a\}b"),
        (r"\boxed{1} \boxed{2", "1", None),
        ("no box", None, None),
    ],
)
def test_boxed(text, first, last):
    nothing = Missing("no closed \\boxed{...}")
    assert Boxed("first")(text) == (nothing if first is None else first)
    assert Boxed()(text) == (nothing if last is None else last)


def test_without_math_verify_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(maths, "_has_math_verify", lambda: False)
    with pytest.raises(MissingExtra, match=r"sightline\[math\]"):
        maths_equal("1", "1")


@pytest.fixture(scope="module")
def verifier():
    pytest.importorskip("math_verify")
    process = MathsProcess()
    yield process
    process.close()


@pytest.mark.parametrize(
    ("answer", "gold", "equal"),
    [
        (r"\sqrt{8}", r"2\sqrt{2}", True),
        ("x+1", "1+x", True),
        ("The answer is 7.", "7", True),
        ("$(x+1)^2$", "$x^2+2x+1$", True),
        ("$x+1$", "$x+2$", False),
        ("\ud800 3", "3", True),
    ],
)
def test_symbolic_equality(answer, gold, equal):
    pytest.importorskip("math_verify")
    assert maths_equal(answer, gold, seconds=60) is equal


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_hanging_verifier_is_killed_and_the_next_question_answered(verifier):
    assert verifier.equal("$1+1$", "$2$", 60) is True
    hung = verifier.pid
    assert verifier.equal("9**9**9**9", "1", 0.3) == Missing("the maths verifier took more than 0.3 s")
    assert gone(hung)
    assert verifier.equal("$1+1$", "$2$", 60) is True


def test_a_dead_verifier_is_replaced(verifier):
    assert verifier.equal("$1+1$", "$2$", 60) is True
    os.kill(verifier.pid, 9)
    time.sleep(0.2)
    assert verifier.equal("$1+1$", "$2$", 60) is True


def test_signals_to_a_whole_group_of_processes_do_not_end_it(verifier):
    assert verifier.equal("$1+1$", "$2$", 60) is True
    asked = verifier.pid
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(asked, number)
        assert verifier.equal("$1+1$", "$2$", 60) is True
    assert verifier.pid == asked


def test_beside_more_files_than_select_can_name(verifier):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    verifier.close()
    with contextlib.ExitStack() as stack:
        for _ in range(1050):
            stack.enter_context(open(os.devnull))
        assert verifier.equal("$1+1$", "$2$", 60) is True
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_any_thread_may_ask(verifier):
    verdicts = []
    threads = [
        threading.Thread(target=lambda i=i: verdicts.append(verifier.equal(f"${i}+1$", f"${i + 1}$", 60)))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 8


def _ask_in_child(verifier, queue):
    queue.put((verifier.pid, verifier.equal("$2+2$", "$4$", 60)))
    verifier.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_starts_its_own(verifier):
    assert verifier.equal("$1+1$", "$2$", 60) is True
    ours = verifier.pid
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_ask_in_child, args=(verifier, queue))
    child.start()
    child.join(90)
    assert queue.get() == (None, True)
    assert verifier.pid == ours
    assert verifier.equal("$1+1$", "$2$", 60) is True


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_pair_that_took_too_long_is_not_tried_again():
    pytest.importorskip("math_verify")
    verdict = maths_equal("9**9**9**9", "2", seconds=0.2)
    assert verdict.why == "the maths verifier took more than 0.2 s"
    assert maths_equal("9**9**9**9", "2", seconds=0.2) is verdict
    assert maths_equal("1" * 10_001, "1").why == "longer than 10000 characters"
