"""The whole loop in front of a real server, once with each sort of model."""

import contextlib
import http.server
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
import urllib.request

import demo
from agent import Agent, page_of
from model import ChatCompletions, Fixtures, ModelError, OpenAI, as_object, from_environment

FIXTURES = pathlib.Path(__file__).with_name("fixtures.jsonl")
# The demo over a folder of its own; each signal is as a terminal has it.
DEMO = """
import pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
import demo
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
demo.DATA = pathlib.Path(sys.argv[2])
demo.main()
"""


class Api(http.server.BaseHTTPRequestHandler):
    """A model's API on this machine: it says what the fixtures say, and takes only what the real one would take."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        speaks = {
            "/v1/responses": self.openai,
            "/v1/chat/completions": self.chat_completions,
            "/v1/messages": self.anthropic,
        }[self.path]
        if body["model"] not in ("model-1", "thoughtless-1"):
            status, answer = 404, {"error": {"message": "no such model"}}
        elif body["model"] == "thoughtless-1" and body["include"]:
            status, answer = 400, {"error": {"message": "Encrypted content is not supported with this model."}}
        else:
            status, answer = 200, speaks(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def openai(self, body):
        assert self.headers["authorization"] == "Bearer secret" and body["store"] is False and body["instructions"]
        assert {"ROLL_BACK", "DIAGNOSE"} <= {tool["name"] for tool in body["tools"]}
        assert all(tool["type"] == "function" and tool["strict"] is False and tool["parameters"] for tool in body["tools"])
        items = body["input"]
        assert items[0]["role"] == "user" and not any("id" in item for item in items), "nothing was stored"
        called = [item["call_id"] for item in items if item.get("type") == "function_call"]
        answered = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        assert called == answered, "each call is answered"
        thinks = body["include"] == ["reasoning.encrypted_content"]
        thoughts = [item["encrypted_content"] for item in items if item.get("type") == "reasoning"]
        assert thoughts == ["a thought"] * (len(set(called)) if thinks else 0), "each thought comes back"
        text, calls = self.next_reply()
        said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        output = [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "a thought" if thinks else None},
            {**said, "content": [{"type": "output_text", "text": text, "annotations": []}]},
        ]
        for id, call in calls:
            named = {"call_id": f"{id}_{len(called)}", "name": call["name"], "arguments": json.dumps(call["arguments"])}
            output.append({"type": "function_call", "id": "fc_1", "status": "completed", **named})
        return {"status": "completed", "output": output}

    def chat_completions(self, body):
        assert self.headers["authorization"] == "Bearer secret"
        assert {"ROLL_BACK", "DIAGNOSE"} <= {tool["function"]["name"] for tool in body["tools"]}
        called, told = [], []
        for message in body["messages"]:
            called += [call["id"] for call in message.get("tool_calls", [])]
            told += [message["tool_call_id"]] if message["role"] == "tool" else []
        assert called == told, "each call is answered"
        text, calls = self.next_reply()
        message = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])}}
                for id, call in calls
            ]
        return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}]}

    def anthropic(self, body):
        assert self.headers["x-api-key"] == "secret" and self.headers["anthropic-version"] and body["max_tokens"] > 0
        assert {"ROLL_BACK", "DIAGNOSE"} <= {tool["name"] for tool in body["tools"]}
        assert [message["role"] for message in body["messages"]] == ["user", "assistant"] * (len(body["messages"]) // 2) + ["user"]
        blocks = [block for message in body["messages"][1:] for block in message["content"]]
        called = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert called == [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"], "each call is answered"
        text, calls = self.next_reply()
        uses = [{"type": "tool_use", "id": id, "name": call["name"], "input": call["arguments"]} for id, call in calls]
        return {"role": "assistant", "content": [{"type": "text", "text": text}, *uses], "stop_reason": "tool_use" if calls else "end_turn"}

    def next_reply(self):
        reply = self.server.replies.pop(0)
        # As some do: in each reply the calls are numbered anew.
        return reply["text"], [(f"call_{number}", call) for number, call in enumerate(reply["calls"])]

    def log_message(self, *_):
        pass


class Silent(http.server.BaseHTTPRequestHandler):
    """A model's API that never answers."""

    def do_POST(self):
        self.server.asked.set()
        self.server.ended.wait()


class Demo(unittest.TestCase):
    def api(self):
        """The API on a free port, for as long as the test runs."""
        server = self.listen(Api)
        server.replies = [json.loads(line) for line in FIXTURES.read_text().splitlines()]
        return f"http://127.0.0.1:{server.server_port}"

    def listen(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def data(self):
        """An empty folder, for as long as the test runs."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def check(self, model):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            demo.demo(model, self.data())
        lines = [line.split()[0] for line in out.getvalue().splitlines()]
        story = ["call", "block", "call", "execute", "call", "hold", "block", "denied", "call", "hold", "block", "approve",
                 "execute", "call", "execute", "stop", "replay"]
        self.assertEqual([line for line in lines if line != "model"], story, out.getvalue())
        self.assertIn("Incident/inc-1: 4 events alone lead to CLOSED, as recorded", out.getvalue())

    def test_fixtures(self):
        self.check(Fixtures(FIXTURES))

    def test_openai(self):
        for name in ("model-1", "thoughtless-1"):
            self.check(OpenAI("secret", name, self.api() + "/v1"))

    def test_an_imitator_of_openai(self):
        named = {"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "model-1", "OPENAI_BASE_URL": self.api() + "/v1"}
        self.check(from_environment(named)[0])

    def test_anthropic(self):
        named = {"ANTHROPIC_API_KEY": "secret", "ANTHROPIC_MODEL": "model-1", "ANTHROPIC_BASE_URL": self.api()}
        self.check(from_environment(named)[0])

    def test_what_was_done_before_is_told_as_that_and_the_page_of_a_request_is_there(self):
        out, pages = io.StringIO(), []
        # As a person's browser, which follows where it is led.
        browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def decided(agent, approval):
            answer = demo.decide(agent, approval, person)
            with browser.open(page_of(agent.kiff, approval)) as page:
                pages.append(page.status)
            return answer

        with contextlib.redirect_stdout(io.StringIO()), demo.served(self.data()) as (agent, person):
            Agent(agent, Fixtures(FIXTURES), "inc-1", decided).work()
            with contextlib.redirect_stdout(out):
                Agent(agent, Fixtures(FIXTURES), "inc-1", decided).work()
        self.assertEqual(pages, [200, 200])
        self.assertIn("done     CAUSE_FOUND: it was done before, and nothing was done now\n", out.getvalue())
        self.assertNotIn("execute", out.getvalue())

    def test_openai_is_asked_for_responses_and_an_imitator_for_chat_completions(self):
        for base, kind, url in [
            ("", OpenAI, "https://api.openai.com/v1/responses"),
            ("https://eu.api.openai.com/v1/", OpenAI, "https://eu.api.openai.com/v1/responses"),
            ("http://localhost:11434/v1", ChatCompletions, "http://localhost:11434/v1/chat/completions"),
        ]:
            model, _ = from_environment({"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "model-1", "OPENAI_BASE_URL": base})
            self.assertEqual((type(model), model.url), (kind, url))

    def test_a_model_that_is_not_there_is_told_in_the_words_of_its_api(self):
        model = OpenAI("secret", "model-2", self.api() + "/v1")
        model.begin("task", [])
        with self.assertRaisesRegex(ModelError, "404.*no such model"):
            model.reply()

    @unittest.skipUnless(hasattr(signal, "SIGHUP"), "no such signals")
    def test_a_demo_that_is_stopped_leaves_no_server_behind(self):
        for number, code in [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 1)]:
            silent = self.listen(Silent)
            silent.asked, silent.ended = threading.Event(), threading.Event()
            self.addCleanup(silent.ended.set)
            base = f"http://127.0.0.1:{silent.server_port}"
            named = {"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "model-1", "OPENAI_BASE_URL": base}
            command = [sys.executable, "-c", DEMO, pathlib.Path(demo.__file__).parent, self.data()]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            started = subprocess.Popen(command, env={**os.environ, **named}, text=True, **pipes)
            self.addCleanup(started.kill)
            # It builds first, and others may hold the lock of what is built.
            self.assertTrue(silent.asked.wait(900))
            started.send_signal(number)
            # The server has the same standard error: it ends when both are gone.
            _, complained = started.communicate(timeout=300)
            self.assertEqual(started.returncode, code, complained)
            self.assertNotIn("Traceback", complained)

    def test_a_server_that_dies_early_is_told_of(self):
        deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
        program = f"{deaf}; print('listening on http://127.0.0.1:1; it dies', flush=True); raise SystemExit(3)"
        data, out = pathlib.Path(self.data()), io.StringIO()
        for name in ("agent-7.key", "nora.key"):
            (data / name).write_text("key")
        with unittest.mock.patch("demo.PROGRAM", [sys.executable, "-c", program]), contextlib.redirect_stdout(out):
            with demo.served(data):
                pass
        self.assertEqual(out.getvalue(), "stop     the server has ended with 3\n")

    def test_a_no_of_the_server_without_a_reason_is_shown_all_the_same(self):
        agent, person, out = unittest.mock.Mock(), unittest.mock.Mock(), io.StringIO()
        agent.kiff.ask.return_value = (429, {"error": "too many requests"})
        person.ask.return_value = (200, {"approval": {"status": "granted"}})
        with contextlib.redirect_stdout(out):
            demo.decide(agent, {"id": "approval-1", "parameters": {"release": "v2.3.9"}}, person)
        self.assertIn("the agent approves its own wish: refused: too many requests", out.getvalue())

    def test_arguments_that_are_no_object_are_none(self):
        self.assertEqual([as_object(text) for text in ["{", "[]", "7", "", '{"a": 1}']], [None, None, None, {}, {"a": 1}])


if __name__ == "__main__":
    unittest.main()
