#!/usr/bin/env python3
"""The agent: what its model wants becomes a proposal, kiff decides, and the model is told what became of it.

    python3 agent/agent.py

It works on one incident of the server that `cargo run` starts, and where a person has to agree, it waits until one has. It needs
nothing but Python.
"""

import argparse
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request
import uuid

from model import ModelError, from_environment

# A model that goes round in circles is stopped.
MOST_REPLIES = 20


class Kiff:
    """The server, as whoever the key belongs to."""

    def __init__(self, base, key):
        self.base, self.key = base, key

    def ask(self, method, path, body=None, headers=None):
        """The status and the answer. A refusal is an answer as well."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)


class Agent:
    """An agent at one incident. `decided` waits until a person has answered a request, and gives it back."""

    def __init__(self, kiff, model, incident, decided):
        self.kiff, self.model, self.incident, self.decided = kiff, model, incident, decided

    def work(self):
        """Works on the incident until its model calls no more tools."""
        _, tools = self.kiff.ask("GET", f"/tools/{self.model.dialect}.json")
        status, timeline = self.kiff.ask("GET", f"/entities/{self.incident}/timeline")
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
        path = f"/entities/{self.incident}/actions/{call.name}"
        # The same call twice, because an answer got lost, is done once.
        key = {"idempotency-key": f"{self.incident}-{call.id}"}
        _, answer = self.kiff.ask("POST", f"{path}/execute", wish, key)
        if answer.get("outcome") != "approval_required":
            return self.told(answer)
        say("hold", answer["error"])
        wish["approval_id"] = f"approval-{uuid.uuid4()}"
        status, asked = self.kiff.ask("POST", f"{path}/approvals", wish)
        if status != 201:
            return self.told(asked)
        approval = self.decided(self, asked["approval"])
        reviewer, verdict = approval["reviewed_by"], approval["status"]
        say("approve" if verdict == "granted" else verdict, f"{reviewer}: {approval.get('reason') or 'no reason given'}")
        if verdict != "granted":
            return {"outcome": verdict, "by": reviewer, "reason": approval.get("reason")}
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
        say("block", f"{answer.get('reason', answer.get('outcome', 'refused'))}: {answer['error']}")
        return {"outcome": "refused", **answer}


def say(what, sentence):
    print(f"{what:<9}{sentence}", flush=True)


def page_of(kiff, approval):
    """Where a person reads a request and answers it."""
    return f"{kiff.base}/admin/approvals/{approval['entity_type']}/{approval['entity_id']}/{approval['id']}"


def wait_for_a_person(agent, approval):
    """Asks again until a person has decided on the page."""
    say("wait", f"for a person at {page_of(agent.kiff, approval)}")
    while True:
        time.sleep(1)
        _, answer = agent.kiff.ask("GET", f"/entities/{agent.incident}/approvals")
        found = next(own for own in answer["approvals"] if own["id"] == approval["id"])
        if found["status"] != "pending":
            return found


def main():
    parser = argparse.ArgumentParser(description="An agent that works on one incident.")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where kiff listens")
    parser.add_argument("--data", default="data", help="the server's folder, which has the agent's key")
    parser.add_argument("--incident", default="inc-1", help="what to work on")
    options = parser.parse_args()
    model, said = from_environment()
    say("start", said)
    try:
        key = pathlib.Path(options.data, "agent-7.key").read_text()
        Agent(Kiff(options.server, key), model, options.incident, wait_for_a_person).work()
    except (ModelError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("the agent was stopped; what waits for a person still does")


if __name__ == "__main__":
    main()
