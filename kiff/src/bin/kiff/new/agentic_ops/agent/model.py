"""The models: each is told of a task and its tools, answers with calls, and is told what became of them."""

import http.client
import ipaddress
import json
import os
import pathlib
import typing
import urllib.error
import urllib.parse
import urllib.request
import uuid

SYSTEM = (
    "You are the agent on duty for production. Work on the incident with the tools that you have, one call at a time. Each "
    "call is checked before anything happens: read what it answers, and act on that. Stop calling tools when the incident is "
    "closed, or when you cannot go on."
)


class Call(typing.NamedTuple):
    """A tool that the model wants to be called. The arguments are none where they were no JSON object.

    Its key is no other call's, which a model's own id may well be: some number the calls of each reply anew.
    """

    id: str
    key: str
    name: str
    arguments: dict | None


class Reply(typing.NamedTuple):
    """What the model says, and the tools that it calls."""

    text: str
    calls: list


class ModelError(Exception):
    """A model that does not answer, or not as its API says."""


class KeyFault(Exception):
    """A key that cannot be sent."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes nowhere but to where it belongs."""

    def redirect_request(self, *_):
        return None


def opener(base):
    """How an address is asked with a key in hand: one on this machine directly, whatever proxy the environment names."""
    handlers = [urllib.request.ProxyHandler({})] if is_here(urllib.parse.urlsplit(base).hostname) else []
    return urllib.request.build_opener(NoRedirects, *handlers)


def is_here(host):
    """Whether a host is this machine: a server that listens at every address of it is asked at `0.0.0.0` as well."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def key_in(name, text):
    """The key in a text, without what a file or a shell has put around it.

    One that breaks inside would be refused further down, in a message that shows it.
    """
    key = text.strip()
    if not all("!" <= letter <= "~" for letter in key):
        raise KeyFault(f"{name} holds white space or another character that no key has")
    return key


class Fixtures:
    """Replies from a file: no network, and the same every time."""

    dialect = "openai"

    def __init__(self, path):
        self.replies = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
        self.said = 0

    def begin(self, task, tools):
        pass

    def reply(self):
        if self.said == len(self.replies):
            return Reply("There is nothing more in the file.", [])
        reply = self.replies[self.said]
        self.said += 1
        keys = [f"call-{self.said}-{number}" for number in range(len(reply["calls"]))]
        return Reply(reply["text"], [Call(key, key, **call) for key, call in zip(keys, reply["calls"])])

    def tell(self, results):
        pass


class OpenAI:
    """The responses of OpenAI's own API, where its models think and call tools at once. It stores nothing of them."""

    dialect = "openai"

    def __init__(self, key, model, base="https://api.openai.com/v1"):
        self.url, self.model = base.rstrip("/") + "/responses", model
        self.headers = {"authorization": f"Bearer {key}"}
        # What the model has thought comes along, so that it can be handed back.
        self.include = ["reasoning.encrypted_content"]

    def begin(self, task, tools):
        self.tools = [{"type": "function", **tool["function"]} for tool in tools]
        self.items = [{"role": "user", "content": task}]

    def reply(self):
        answer = self.ask()
        items = expected_list(answer, "output")
        # An id leads to what is stored, and nothing is. A thought without its content is no more than that.
        kept = [item for item in items if expected(item, "type") != "reasoning" or item.get("encrypted_content")]
        self.items += [{name: said for name, said in item.items() if name != "id"} for item in kept]
        parts = [part for item in items if item["type"] == "message" for part in expected_list(item, "content")]
        text = " ".join(expected(part, "text") for part in parts if expected(part, "type") == "output_text")
        refusal = " ".join(expected(part, "refusal") for part in parts if part["type"] == "refusal")
        why = (answer.get("incomplete_details") or {}).get("reason") or (answer.get("error") or {}).get("message")
        finished(answer.get("status") == "completed", why or answer.get("status"), refusal, text)
        calls = [item for item in items if item["type"] == "function_call"]
        return Reply(
            text,
            [
                Call(expected(call, "call_id"), uuid.uuid4().hex, expected(call, "name"), as_object(expected(call, "arguments")))
                for call in calls
            ],
        )

    def ask(self):
        wanted = {"model": self.model, "instructions": SYSTEM, "input": self.items, "tools": self.tools, "store": False}
        try:
            return post(self.url, self.headers, {**wanted, "include": self.include})
        except ModelError as error:
            # A model that does not think will not be asked for thoughts.
            if not self.include or "Encrypted content is not supported" not in str(error):
                raise
            self.include = []
            return self.ask()

    def tell(self, results):
        for call, result in results:
            self.items.append({"type": "function_call_output", "call_id": call.id, "output": json.dumps(result)})


class ChatCompletions:
    """The chat completions of the many that imitate OpenAI."""

    dialect = "openai"

    def __init__(self, key, model, base):
        self.url, self.model = base.rstrip("/") + "/chat/completions", model
        self.headers = {"authorization": f"Bearer {key}"}

    def begin(self, task, tools):
        self.tools = tools
        self.messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": task}]

    def reply(self):
        answer = post(self.url, self.headers, {"model": self.model, "messages": self.messages, "tools": self.tools})
        message = expected(answer, "choices", 0, "message")
        # Some imitators leave it out, or have words of their own for a reply that is whole.
        ended = expected(answer, "choices", 0).get("finish_reason")
        self.messages.append(message)
        text = message.get("content") or ""
        finished(ended not in ("length", "content_filter"), ended, message.get("refusal"), text)
        calls = []
        for call in message.get("tool_calls") or []:
            arguments = as_object(expected(call, "function", "arguments"))
            calls.append(Call(expected(call, "id"), uuid.uuid4().hex, expected(call, "function", "name"), arguments))
        return Reply(text, calls)

    def tell(self, results):
        for call, result in results:
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})


class Anthropic:
    """The messages of Anthropic's API."""

    dialect = "anthropic"

    def __init__(self, key, model, base="https://api.anthropic.com"):
        self.url, self.model = base.rstrip("/") + "/v1/messages", model
        self.headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    def begin(self, task, tools):
        self.tools, self.messages = tools, [{"role": "user", "content": task}]

    def reply(self):
        wanted = {"model": self.model, "max_tokens": 8192, "system": SYSTEM}
        answer = post(self.url, self.headers, {**wanted, "messages": self.messages, "tools": self.tools})
        blocks, ended = expected(answer, "content"), expected(answer, "stop_reason")
        self.messages.append({"role": "assistant", "content": blocks})
        text = " ".join(block["text"] for block in blocks if block["type"] == "text")
        refusal = ((answer.get("stop_details") or {}).get("explanation") or text or ended) if ended == "refusal" else ""
        finished(ended in ("end_turn", "tool_use", "stop_sequence"), ended, refusal, text)
        uses = [block for block in blocks if block["type"] == "tool_use"]
        return Reply(text, [Call(use["id"], uuid.uuid4().hex, use["name"], as_object(use["input"])) for use in uses])

    def tell(self, results):
        blocks = []
        for call, result in results:
            is_error = result["outcome"] != "executed"
            told = {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps(result), "is_error": is_error}
            blocks.append(told)
        self.messages.append({"role": "user", "content": blocks})


def openai(key, model, base=None):
    """A model of OpenAI's, or of an imitator at another address."""
    host = urllib.parse.urlsplit(base).hostname if base else None
    # Also eu.api.openai.com and its like.
    is_imitator = base and not (host or "").endswith("api.openai.com")
    return (ChatCompletions if is_imitator else OpenAI)(key, model, **({"base": base} if base else {}))


def from_environment(environment=os.environ):
    """The model that the environment has credentials for, and what to say of it."""
    for kind, name in [(openai, "OPENAI"), (Anthropic, "ANTHROPIC")]:
        key = key_in(f"{name}_API_KEY", environment.get(f"{name}_API_KEY", ""))
        model, base = (environment.get(f"{name}_{what}", "").strip() for what in ("MODEL", "BASE_URL"))
        if key and model:
            return kind(key, model, **({"base": base} if base else {})), f"the model is {model}"
    said = "the model answers from agent/fixtures.jsonl; with a key and OPENAI_MODEL or ANTHROPIC_MODEL a real one does"
    return Fixtures(pathlib.Path(__file__).with_name("fixtures.jsonl")), said


def post(url, headers, body):
    """Asks a model's API."""
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers})
        with opener(url).open(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ModelError(f"{url} answers {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ModelError(f"{url} gives no answer: {error}") from error


def finished(is_whole, why, refusal, text):
    """Lets no reply pass that was refused or cut short: it looks as if the model were done."""
    if refusal:
        raise ModelError(f"the model refused: {refusal[:500]}")
    if not is_whole:
        raise ModelError(f"the model did not finish its reply (`{why}`){': ' if text else ''}{text[:500]}")


def expected(answer, *path):
    """What stands at a place of an answer, where it has to."""
    part = answer
    for step in path:
        try:
            part = part[step]
        except (KeyError, IndexError, TypeError):
            raise ModelError(f"the answer has no `{'.'.join(map(str, path))}`: {json.dumps(answer)[:500]}") from None
    return part


def expected_list(answer, *path):
    """The list that stands at a place of an answer, where it has to."""
    part = expected(answer, *path)
    if not isinstance(part, list):
        raise ModelError(f"the answer has no list `{'.'.join(map(str, path))}`: {json.dumps(answer)[:500]}")
    return part


def as_object(arguments):
    """A call's arguments, which some write as JSON in a string."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            return None
    return arguments if isinstance(arguments, dict) else None
