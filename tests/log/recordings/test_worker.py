import subprocess
import sys
import threading
import time
from functools import partial
from itertools import pairwise

import pytest

from lerax_log.recordings.worker import VideoWorker


class Gate:
    """Work that begins, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go.wait(10)


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def done() -> list[object]:
    return []


def busy(worker: VideoWorker) -> Gate:
    gate = Gate()
    worker.submit(None, gate)
    assert gate.begun.wait(10)
    return gate


def test_work_is_done_in_order_on_one_other_thread(done):
    worker = VideoWorker(limit=100)
    threads = set()
    for number in range(20):
        worker.submit("run", lambda number=number: done.append(number))
        worker.submit("run", lambda: threads.add(threading.current_thread()))
        time.sleep(0.001)
    worker.close()
    assert done == list(range(20))
    assert threading.current_thread() not in threads


def test_never_two_at_a_time(done):
    worker = VideoWorker(limit=100)
    running = []

    def work():
        running.append(1)
        done.append(len(running))
        time.sleep(0.005)
        running.pop()

    for _ in range(10):
        worker.submit("run", work)
    worker.close()
    assert done == [1] * 10


def test_the_oldest_of_the_same_owner_makes_room(done):
    worker = VideoWorker(limit=2)
    gate = busy(worker)
    dropped = []
    for number in range(4):
        for owner in ("a", "b"):
            work = owner, number
            worker.submit(owner, partial(done.append, work), drop=partial(dropped.append, work))
    gate.go.set()
    worker.close()
    assert done == [("a", 2), ("b", 2), ("a", 3), ("b", 3)]
    assert dropped == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_those_that_stay_are_spread_evenly_over_their_places(done):
    worker = VideoWorker(limit=5)
    gate = busy(worker)
    for place in range(40):
        worker.submit("a", partial(done.append, place), place=place)
        worker.submit("b", lambda: None, place=place)
    gate.go.set()
    worker.close()
    assert (len(done), done[0], done[-1]) == (5, 0, 39)
    gaps = [after - before for before, after in pairwise(done)]
    assert max(gaps) <= 2 * 39 / 4


def test_late_work_waits_for_all_else_and_next_for_nothing(done):
    worker = VideoWorker(limit=100)
    gate = busy(worker)
    worker.submit("a", lambda: (done.append("a"), worker.submit("a", partial(done.append, "c"))))
    worker.submit("late", partial(done.append, "late"), late=True)
    worker.submit("a", partial(done.append, "b"))
    worker.submit(None, partial(done.append, "next"), next=True)
    gate.go.set()
    worker.close()
    assert done == ["next", "a", "b", "c", "late"]


def test_close_gives_late_work_so_many_seconds(done):
    worker = VideoWorker(limit=100)
    gate, places, dropped = Gate(), [], []
    worker.submit("run", lambda: (time.sleep(0.4), done.append("early")))
    late = {"late": True, "drop": partial(dropped.append, 1)}
    worker.submit("run", partial(done.append, "late"), **late)
    worker.submit("run", gate, give_up=places.append, **late)
    worker.submit("run", partial(done.append, "too late"), **late)
    worker.submit(None, partial(done.append, "nobody's"), late=True)
    worker.close(0.2)
    # Only when nothing else waits does the time run.
    assert (done, places, dropped) == (["early", "late", "nobody's"], [None], [1])
    gate.go.set()


def test_work_of_nobody_is_never_dropped(done):
    worker = VideoWorker(limit=1)
    gate = busy(worker)
    for number in range(5):
        worker.submit(None, partial(done.append, number), drop=lambda: pytest.fail("dropped"))
    gate.go.set()
    worker.close()
    assert done == [0, 1, 2, 3, 4]


def test_blocking_waits_for_room_and_drops_nothing(done):
    worker = VideoWorker(limit=2, block=True)
    gate = busy(worker)
    submitted = []

    def submit_all():
        for number in range(6):
            worker.submit("run", partial(done.append, number), drop=lambda: pytest.fail("dropped"))
            submitted.append(number)

    thread = threading.Thread(target=submit_all)
    thread.start()
    time.sleep(0.1)
    assert submitted == [0, 1]
    gate.go.set()
    thread.join(10)
    worker.close()
    assert done == list(range(6))


def test_close_waits_and_may_be_called_again_and_before_more_work(done):
    worker = VideoWorker()
    worker.close()
    worker.submit("run", lambda: (time.sleep(0.1), done.append(1)))
    worker.close()
    worker.close()
    assert done == [1]
    worker.submit("run", lambda: done.append(2))
    worker.close()
    assert done == [1, 2]


def test_cancelled_work_is_not_done(done):
    worker = VideoWorker()
    gate = busy(worker)
    worker.submit("run", lambda: done.append(1))
    worker.cancel()
    gate.go.set()
    worker.close()
    assert done == []


def test_what_takes_too_long_is_given_up_and_what_waits_is_done(done):
    worker = VideoWorker(limit=100, time_limit=0.2)
    hangs, places, wanted = Gate(), [], []

    def hang():
        hangs()
        wanted.append(worker.settle())

    worker.submit("run", hang, give_up=places.append)
    for number in range(3):
        worker.submit("run", lambda number=number: done.append((number, worker.settle())))
    worker.close()
    # Without the time limit, close would wait for ever.
    assert not hangs.go.is_set()
    assert done == [(0, True), (1, True), (2, True)]
    (place,) = places
    assert place.startswith(f"__call__ ({__file__}, line ")
    before = threading.active_count()
    hangs.go.set()
    wait_for(lambda: threading.active_count() == before - 1)
    assert wanted == [False]
    worker.submit("run", lambda: done.append(4), give_up=places.append)
    worker.close()
    assert done[-1] == 4
    assert len(places) == 1


def test_what_has_settled_is_not_given_up(done):
    worker = VideoWorker(time_limit=0.1)
    given_up = []

    def log_for_long():
        assert worker.settle()
        time.sleep(0.4)
        done.append(1)

    worker.submit("run", log_for_long, give_up=given_up.append)
    worker.submit("run", lambda: done.append(2), give_up=given_up.append)
    worker.close()
    assert (done, given_up) == ([1, 2], [])


def test_work_that_cannot_be_given_up_has_no_time_limit(done):
    worker = VideoWorker(time_limit=0.1)
    worker.submit(None, lambda: (time.sleep(0.4), done.append(worker.settle())))
    worker.close()
    assert done == [True]


def test_cancelling_gives_up_what_is_under_way_and_close_does_not_wait_for_it(done):
    worker = VideoWorker()
    gate, places = Gate(), []
    worker.submit("run", lambda: (gate(), done.append(worker.settle())), give_up=places.append)
    assert gate.begun.wait(10)
    worker.submit("run", lambda: done.append("waiting"))
    worker.cancel()
    worker.close()
    assert (done, places) == ([], [None])
    gate.go.set()
    wait_for(lambda: done == [False])


def test_close_waits_until_what_was_given_up_has_been_cleaned_up(done):
    worker = VideoWorker(time_limit=0.1)
    gate = Gate()

    def clean(place):
        time.sleep(0.3)
        done.append("cleaned")

    worker.submit("run", gate, give_up=clean)
    worker.close()
    assert done == ["cleaned"]
    gate.go.set()


def test_time_in_which_the_program_was_stopped_does_not_count():
    code = """
import os, signal, subprocess, time
from lerax_log.recordings.worker import VideoWorker
worker, given_up = VideoWorker(time_limit=2.0), []
me = os.getpid()
subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -STOP {me}; sleep 3; kill -CONT {me}"])
start = time.monotonic()
worker.submit("run", lambda: time.sleep(0.9) or time.sleep(0.4), give_up=given_up.append)
worker.close()
assert time.monotonic() - start > 2.5, "it was not stopped"
assert not given_up, given_up
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_a_raise_is_reported_and_what_waits_is_done(done, monkeypatch):
    reported = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_value))
    worker = VideoWorker(limit=3)
    worker.submit("run", lambda: 1 / 0)
    worker.submit("run", sys.exit)
    worker.submit("run", lambda: done.append(1))
    worker.close()
    assert done == [1]
    assert [type(error) for error in reported] == [ZeroDivisionError, SystemExit]


def test_no_thread_is_left_when_there_is_no_work():
    before = threading.active_count()
    worker = VideoWorker()
    worker.submit("run", lambda: None)
    worker.close()
    assert threading.active_count() == before


def test_dropped_work_keeps_nothing_alive():
    import weakref

    class Big:
        pass

    worker = VideoWorker(limit=1)
    gate = busy(worker)
    big = Big()
    reference = weakref.ref(big)
    worker.submit("run", lambda big=big: None)
    del big
    assert reference() is not None
    worker.submit("run", lambda: None)
    assert reference() is None
    gate.go.set()
    worker.close()


def test_unfinished_work_does_not_keep_the_interpreter():
    code = """
import time
from lerax_log.recordings.worker import VideoWorker
VideoWorker().submit("run", lambda: time.sleep(60))
"""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert time.monotonic() - start < 20
