#!/usr/bin/env python3
"""The whole governed loop by itself: what is blocked, held, denied, approved, executed, and the replay.

    python3 agent/demo.py

It starts the server on a free port with a journal of its own, lets the agent work, decides in the place of the person on call, stops
the server, and replays the journal that is left. What happened stays in data/demo/, until the next run begins anew.
"""

import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys

from agent import Agent, Kiff, say
from model import KeyFault, ModelError, from_environment

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATA = ROOT / "data" / "demo"
PROGRAM = ["cargo", "run", "--quiet", "--"]


@contextlib.contextmanager
def served(data):
    """The server over a folder, as the agent and as the person on call; at the end it has stopped."""
    command = [*PROGRAM, "--address", "127.0.0.1:0", "--data", data]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        first = server.stdout.readline()
        if not first.startswith("listening on "):
            sys.exit("the server did not start")
        base = first.removeprefix("listening on ").split(";")[0]
        yield [Kiff(base, pathlib.Path(data, name).read_text().strip()) for name in ("agent-7.key", "nora.key")]
    finally:
        server.send_signal(signal.SIGINT)
        rest, _ = server.communicate()
    say("stop", rest.splitlines()[-1] if rest.strip() else f"the server has ended with {server.returncode}")


def demo(model, data):
    """One run with a model, over a folder that nothing has happened in yet."""
    with served(data) as (agent, person):
        Agent(agent, model, "inc-1", lambda agent, approval: decide(agent, approval, person)).work()
    replayed = subprocess.run([*PROGRAM, "replay", "--data", data], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if replayed.returncode != 0:
        sys.exit("the journal does not replay")
    say("replay", replayed.stdout.strip())


def decide(agent, approval, person):
    """The person on call. Here she is a rule: only the release before the bad one will do."""
    _, own = agent.kiff.ask("POST", f"/approvals/{approval['id']}/grant", {"reason": "I am sure"})
    say("block", f"the agent approves its own wish: {own.get('reason', own.get('outcome', 'refused'))}: {own['error']}")
    is_right = approval["parameters"]["release"] == "v2.3.9"
    verb, reason = ("grant", "that one ran for weeks") if is_right else ("deny", "only v2.3.9 was well, nothing older")
    status, answer = person.ask("POST", f"/approvals/{approval['id']}/{verb}", {"reason": reason})
    if status != 200:
        sys.exit(f"nora could not decide: {answer['error']}")
    return answer["approval"]


def end_well():
    """A signal that ends the demo ends it as an error does, and the server with it."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What whoever started it wants to outlive stays so.
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def main():
    end_well()
    try:
        # The first build takes its time; so that it is seen, it is not left to the first run.
        if subprocess.run(["cargo", "build"], cwd=ROOT).returncode != 0:
            sys.exit("the server does not build")
        model, said = from_environment()
        say("start", said)
        shutil.rmtree(DATA, ignore_errors=True)
        demo(model, DATA)
    except (KeyFault, ModelError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("the demo was stopped, and its server with it")


if __name__ == "__main__":
    main()
