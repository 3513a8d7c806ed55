#!/usr/bin/env python3
"""The agent: what its model wants becomes a proposal, kiff decides, and the model is told what became of it.

    python3 agent/agent.py

It works on one incident of the server that `cargo run` starts, and where a person has to agree, it waits until one has. It needs
nothing but Python.
"""

import argparse
import http.client
import json
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from model import KeyFault, ModelError, from_environment, key_in, opener

# A model that goes round in circles is stopped.
MOST_REPLIES = 20
# So often a server that has no time, or gives no answer, is asked the same.
MOST_TRIES = 5
# How a request can end without an answer, and what the model is told then.
ENDED = {
    "expired": "the request has expired, and nothing was done",
    "gone": "the request is closed, and only the record says what became of it",
}


class Kiff:
    """The server, as whoever the key belongs to."""

    def __init__(self, base, key):
        self.base, self.key, self.opener = base, key, opener(base)

    def ask(self, method, path, body=None, key=None, may_repeat=False):
        """The status and the answer. A refusal is an answer as well; a server that asks for patience gets some.

        When no answer comes, what is done once however often it is sent is sent again: a question, and a wish with a key.
        """
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        if key:
            headers["idempotency-key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        may_repeat, is_lost = may_repeat or key or method == "GET", False
        for tries in range(MOST_TRIES):
            status, answer, after = self.once(request)
            is_lost = is_lost or status is None
            # Behind a lost answer, what was asked first may still run.
            is_open = is_lost and (
                status in (None, 429, 503) or (status == 409 and answer.get("reason") == "action_in_progress")
            )
            if tries + 1 == MOST_TRIES or not (status == 429 or (is_open and may_repeat)):
                break
            if status is None:
                say("again", answer["error"])
            time.sleep(after or 2**tries)
        return status, {"outcome": "unknown", "error": answer["error"]} if is_open else answer

    def once(self, request):
        """The status, the answer, and for how many seconds the server wants to be left alone. No answer has no status."""
        try:
            try:
                answer = self.opener.open(request, timeout=30)
            except urllib.error.HTTPError as refusal:
                answer = refusal
            with answer:
                status, text, after = answer.status, answer.read(), answer.headers.get("retry-after", "")
        except (OSError, http.client.HTTPException) as error:
            return None, {"error": f"the server gives no answer: {error}"}, None
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        is_whole = said is not None if status < 300 else isinstance(said, dict) and "error" in said
        if not is_whole:
            said = {"error": f"the server answers {status}"}
        # A server that broke may have done what it was sent. Only one that has decided says an outcome.
        is_answer = is_whole if status < 300 else status < 500 or "outcome" in said
        return status if is_answer else None, said, int(after) if after.isdecimal() else None


class Agent:
    """An agent at one incident. `decided` waits until a person has answered a request, and gives it back."""

    def __init__(self, kiff, model, incident, decided):
        self.kiff, self.model, self.incident, self.decided = kiff, model, incident, decided

    def work(self):
        """Works on the incident until its model calls no more tools."""
        status, tools = self.kiff.ask("GET", f"/tools/{self.model.dialect}.json")
        if status != 200:
            sys.exit(f"the agent cannot see its tools: {tools['error']}")
        status, timeline = self.kiff.ask("GET", f"/entities/{quoted(self.incident)}/timeline")
        if status != 200:
            sys.exit(f"the agent cannot see {self.incident}: {timeline['error']}")
        records = "\n".join(f"{record['kind']}: {record['message']}" for record in timeline["timeline"])
        self.model.begin(f"The record of the incident {self.incident}:\n{records}", tools)
        for _ in range(MOST_REPLIES):
            reply = self.model.reply()
            if reply.text:
                say("model", reply.text)
            if not reply.calls:
                return
            self.model.tell([(call, self.call(call, reply.text)) for call in reply.calls])
        say("stop", f"the model has replied {MOST_REPLIES} times, and is stopped")

    def call(self, call, rationale):
        """What the model is told of one call."""
        say("call", f"{call.name} {json.dumps(call.arguments)}")
        if call.arguments is None:
            return self.told({"outcome": "invalid", "error": "the arguments are no JSON object"})
        wish = {"parameters": call.arguments, "reason": rationale}
        path = f"/entities/{quoted(self.incident)}/actions/{quoted(call.name)}"
        # The same call twice, because an answer got lost, is done once.
        key = f"{self.incident}-{call.key}"
        _, answer = self.kiff.ask("POST", f"{path}/execute", wish, key)
        if answer.get("outcome") != "approval_required":
            return self.told(answer)
        say("hold", answer["error"])
        wish["approval_id"] = f"approval-{uuid.uuid4()}"
        # Asked again, it is the request that waits already.
        status, asked = self.kiff.ask("POST", f"{path}/approvals", wish, may_repeat=True)
        if status != 201:
            return self.told(asked)
        wish["approval_id"] = asked["approval"]["id"]
        approval = self.decided(self, asked["approval"])
        verdict, reviewer, reason = (approval.get(name) for name in ("status", "reviewed_by", "reason"))
        if verdict in ENDED:
            say(verdict, ENDED[verdict])
            return {"outcome": verdict, "error": ENDED[verdict]}
        if reviewer:
            say("approve" if verdict == "granted" else verdict, f"{reviewer}: {reason or 'no reason given'}")
        if verdict in ("denied", "withdrawn"):
            return {"outcome": verdict, "by": reviewer, "reason": reason}
        # What was spent already was spent on this: the same key gives its result again.
        return self.told(self.kiff.ask("POST", f"{path}/execute", wish, key)[1])

    def told(self, answer):
        """An answer in the words in which a model is told of it."""
        if "result" in answer:
            result = answer["result"]
            events = ", ".join(result["follow_up_events"])
            if result["deduplicated"]:
                say("done", f"{events}: it was done before, and nothing was done now")
            else:
                say("execute", f"{events}: the incident is {result['current_state']} now")
            return {"outcome": "executed", **result}
        if answer.get("outcome") == "unknown":
            error = f"nobody knows whether it was done: {answer['error']}"
            say("doubt", error)
            return {"outcome": "unknown", "error": error}
        say("block", f"{answer.get('reason', answer.get('outcome', 'refused'))}: {answer['error']}")
        return {"outcome": "refused", **answer}


def say(what, sentence):
    print(f"{what:<9}{sentence}", flush=True)


def quoted(part):
    """A part of a path: a model makes names up, and they lead nowhere else."""
    return urllib.parse.quote(part, safe="")


def page_of(kiff, approval):
    """Where a person reads a request and answers it."""
    parts = [quoted(approval[name]) for name in ("entity_type", "entity_id", "id")]
    return f"{kiff.base}/admin/approvals/{'/'.join(parts)}"


def wait_for_a_person(agent, approval):
    """Asks again until a person has decided on the page."""
    say("wait", f"for a person at {page_of(agent.kiff, approval)}")
    while True:
        time.sleep(1)
        status, answer = agent.kiff.ask("GET", f"/entities/{quoted(agent.incident)}/approvals/{quoted(approval['id'])}")
        if status not in (200, 404):
            sys.exit(f"the agent cannot see whether a person has decided: {answer['error']}")
        found = answer["approval"] if status == 200 else {"status": "gone"}
        if found["status"] != "pending":
            return found


def main():
    parser = argparse.ArgumentParser(description="An agent that works on one incident.")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where kiff listens")
    parser.add_argument("--data", default="data", help="the server's folder, which has the agent's key")
    parser.add_argument("--incident", default="inc-1", help="what to work on")
    options = parser.parse_args()
    try:
        model, said = from_environment()
        say("start", said)
        key_file = pathlib.Path(options.data, "agent-7.key")
        key = key_in(key_file, key_file.read_text())
        Agent(Kiff(options.server, key), model, options.incident, wait_for_a_person).work()
    except (KeyFault, ModelError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("the agent was stopped; what waits for a person still does")


if __name__ == "__main__":
    main()
