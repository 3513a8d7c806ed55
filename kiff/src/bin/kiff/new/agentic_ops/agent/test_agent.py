"""The agent in front of a server that is slow, breaks, or has forgotten: each answer is made up here."""

import contextlib
import http.server
import io
import json
import os
import threading
import unittest
import unittest.mock

from agent import Agent, Kiff, wait_for_a_person
from model import Anthropic, Call, ChatCompletions, KeyFault, ModelError, OpenAI, from_environment, is_here

HELD = (409, {}, {"outcome": "approval_required", "error": "a person has to agree"})
REQUEST = {"id": "approval-1", "entity_type": "Incident", "entity_id": "inc-1"}
ASKED = (201, {}, {"approval": {**REQUEST, "status": "pending"}})
DONE = (200, {}, {"result": {"follow_up_events": ["CAUSE_FOUND"], "deduplicated": False, "current_state": "DIAGNOSED"}})
DONE_BEFORE = (200, {}, {"result": {**DONE[2]["result"], "deduplicated": True}})
UNDER_WAY = (409, {}, {"outcome": "blocked", "reason": "action_in_progress", "error": "another action is under way"})
BROKEN = (502, {}, b"<html>")
# The connection breaks where the answer should come.
RESET = None


def found(**said):
    """The request that was asked for, as it is now."""
    return 200, {}, {"approval": {**REQUEST, **said}}


class Server(http.server.BaseHTTPRequestHandler):
    """Gives the answers that it was told to give, one after the other."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.paths.append(self.path)
        self.server.wishes.append((self.headers["idempotency-key"], json.loads(body or "{}").get("approval_id")))
        given = self.server.answers.pop(0)
        if given is RESET:
            self.close_connection = True
            return
        status, headers, answer = given
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    do_POST = do_GET

    def log_message(self, *_):
        pass


class WithServer(unittest.TestCase):
    def server(self, *answers):
        """A server that gives these answers, for as long as the test runs, and where it is."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        server.answers, server.paths, server.wishes = list(answers), [], []
        self.wishes = server.wishes
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, f"http://127.0.0.1:{server.server_port}"


class Secrets(WithServer):
    def test_what_stands_around_a_key_is_not_sent(self):
        for name, header, value in [("OPENAI", "authorization", "Bearer secret"), ("ANTHROPIC", "x-api-key", "secret")]:
            model, _ = from_environment({f"{name}_API_KEY": "secret\r\n", f"{name}_MODEL": "a-model\r"})
            self.assertEqual((model.headers[header], model.model), (value, "a-model"))

    def test_a_key_that_breaks_inside_is_refused_and_not_shown(self):
        for name in ("OPENAI", "ANTHROPIC"):
            for key in ("hush\nhush", "hush hush", "hush\u2026"):
                with self.assertRaises(KeyFault) as raised:
                    from_environment({f"{name}_API_KEY": key, f"{name}_MODEL": "a-model"})
                self.assertIn(f"{name}_API_KEY", str(raised.exception))
                self.assertNotIn("hush", str(raised.exception))

    def ask(self, base):
        """Asks kiff and each sort of model there, whatever they answer."""
        Kiff(base, "hush").ask("GET", "/tools/openai.json")
        for kind in (OpenAI, ChatCompletions, Anthropic):
            model = kind("hush", "model-1", base)
            model.begin("task", [])
            with contextlib.suppress(ModelError):
                model.reply()

    def test_a_proxy_sees_nothing_of_what_is_on_this_machine(self):
        for host in ("127.0.0.1", "localhost", "0.0.0.0"):
            server, base = self.server(*[(200, {}, {})] * 4)
            proxy, named = self.server()
            with unittest.mock.patch.dict(os.environ, {"http_proxy": named, "HTTP_PROXY": named, "no_proxy": "", "NO_PROXY": ""}):
                self.ask(base.replace("127.0.0.1", host))
            self.assertEqual((server.answers, proxy.paths), ([], []), host)
        for host, expected in [("127.1.2.3", True), ("::1", True), ("::", True), ("192.0.2.1", False), ("model.example", False)]:
            self.assertEqual((host, is_here(host)), (host, expected))

    def test_a_key_follows_no_redirect(self):
        elsewhere, base = self.server()
        server, own = self.server(*[(302, {"location": base}, {})] * 4)
        self.ask(own)
        self.assertEqual((server.answers, elsewhere.paths), ([], []))


class Replies(WithServer):
    def check(self, kind, *told):
        """Whoever waits for a reply is told what is wrong with each answer."""
        for answer, words in told:
            _, base = self.server((200, {}, answer))
            model = kind("secret", "model-1", base)
            model.begin("task", [])
            with self.assertRaises(ModelError) as raised:
                model.reply()
            self.assertEqual(str(raised.exception), words)

    def test_openai(self):
        said = [{"type": "message", "content": [{"type": "output_text", "text": "I will"}]}]
        refused = [{"type": "message", "content": [{"type": "refusal", "refusal": "not that"}]}]
        cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": said}
        broken = {"status": "failed", "error": {"message": "it broke"}, "output": []}
        empty, bare, call = {"type": "message", "content": None}, {"type": "output_text"}, {"type": "function_call"}
        self.check(
            OpenAI,
            (cut, "the model did not finish its reply (`max_output_tokens`): I will"),
            (broken, "the model did not finish its reply (`it broke`)"),
            ({"status": "completed", "output": refused}, "the model refused: not that"),
            ({"status": "completed", "output": None}, 'the answer has no list `output`: {"status": "completed", "output": null}'),
            ({"output": [{"id": "it_1"}]}, 'the answer has no `type`: {"id": "it_1"}'),
            ({"output": [empty]}, 'the answer has no list `content`: {"type": "message", "content": null}'),
            ({"output": [{**empty, "content": [{}]}]}, "the answer has no `type`: {}"),
            ({"output": [{**empty, "content": [bare]}]}, 'the answer has no `text`: {"type": "output_text"}'),
            ({"status": "completed", "output": [call]}, 'the answer has no `call_id`: {"type": "function_call"}'),
        )

    def test_chat_completions(self):
        def choice(ended, **message):
            return {"choices": [{"finish_reason": ended, "message": message}]}

        self.check(
            ChatCompletions,
            (choice("length", content="I will"), "the model did not finish its reply (`length`): I will"),
            (choice("content_filter", content=None), "the model did not finish its reply (`content_filter`)"),
            (choice("stop", content=None, refusal="not that"), "the model refused: not that"),
        )
        # What is whole is said in many words, and by some not at all.
        said = [choice(ended, content="I will") for ended in ("stop", "tool_calls", "eos", None)]
        for answer in [*said, {"choices": [{"message": {"content": "I will"}}]}]:
            _, base = self.server((200, {}, answer))
            model = ChatCompletions("secret", "model-1", base)
            model.begin("task", [])
            self.assertEqual(model.reply(), ("I will", []))

    def test_anthropic(self):
        said, why = [{"type": "text", "text": "I will"}], {"type": "refusal", "explanation": "not that"}
        self.check(
            Anthropic,
            ({"stop_reason": "max_tokens", "content": said}, "the model did not finish its reply (`max_tokens`): I will"),
            ({"stop_reason": "refusal", "content": said}, "the model refused: I will"),
            ({"stop_reason": "refusal", "stop_details": why, "content": []}, "the model refused: not that"),
        )


class Answers(WithServer):
    def told(self, *answers, name="DIAGNOSE"):
        """What the model is told of a call, the paths that were asked for, and how long was waited in between."""
        server, base = self.server(*answers)
        with contextlib.redirect_stdout(io.StringIO()), unittest.mock.patch("agent.time.sleep") as sleep:
            told = Agent(Kiff(base, "key"), None, "inc-1", wait_for_a_person).call(Call("call-1", "key-1", name, {}), "because")
        self.assertEqual(server.answers, [])
        return told, server.paths, [call.args[0] for call in sleep.call_args_list]

    def test_a_request_that_expired_is_told_as_that(self):
        told, _, _ = self.told(HELD, ASKED, found(status="expired"))
        self.assertEqual(told, {"outcome": "expired", "error": "the request has expired, and nothing was done"})

    def test_a_request_that_is_forgotten_is_told_as_that(self):
        told, _, _ = self.told(HELD, ASKED, (404, {}, {"error": "it was closed long ago"}))
        self.assertEqual(told["outcome"], "gone")

    def test_what_was_spent_already_is_asked_for_once_more(self):
        told, _, _ = self.told(HELD, ASKED, found(status="spent"), DONE)
        self.assertEqual(told["outcome"], "executed")

    def test_a_denial_comes_with_who_and_why(self):
        told, _, _ = self.told(HELD, ASKED, found(status="denied", reviewed_by="nora", reason="too old"))
        self.assertEqual(told, {"outcome": "denied", "by": "nora", "reason": "too old"})

    def test_a_grant_that_is_taken_back_is_a_no(self):
        told, _, _ = self.told(HELD, ASKED, found(status="withdrawn", reviewed_by="nora", reason="too old"))
        self.assertEqual(told, {"outcome": "withdrawn", "by": "nora", "reason": "too old"})

    def test_a_server_that_asks_for_patience_gets_it(self):
        slow, granted = (429, {"retry-after": "7"}, {"error": "too many requests"}), found(status="granted", reviewed_by="nora")
        told, _, waited = self.told(slow, HELD, ASKED, slow, BROKEN, granted, DONE)
        self.assertEqual((told["outcome"], waited), ("executed", [7, 1, 7, 2]))

    def test_waiting_for_a_person_goes_on_behind_a_connection_that_broke(self):
        granted = found(status="granted", reviewed_by="nora")
        told, _, _ = self.told(HELD, RESET, ASKED, RESET, RESET, granted, DONE)
        self.assertEqual(told["outcome"], "executed")
        # Its wish is for the request that the server says it has.
        self.assertEqual(self.wishes[-1][1], "approval-1")

    def test_a_server_that_stays_broken_is_told_of(self):
        broken = (500, {}, {"error": "something broke on the server; its log says what"})
        with self.assertRaisesRegex(SystemExit, "cannot see whether a person has decided: something broke"):
            self.told(HELD, ASKED, *[broken] * 5)

    def test_what_got_no_answer_is_sent_again_under_its_key_and_is_done_once(self):
        for lost in ([BROKEN], [RESET], [(200, {}, b"{")], [RESET, UNDER_WAY]):
            told, _, waited = self.told(*lost, DONE_BEFORE)
            self.assertEqual((told["outcome"], told["deduplicated"], waited), ("executed", True, [1, 2][: len(lost)]))
            self.assertEqual([key for key, _ in self.wishes], ["inc-1-key-1"] * (len(lost) + 1))

    def test_what_stays_without_an_answer_is_unknown_and_not_refused(self):
        for lost, why in [([BROKEN] * 5, "the server answers 502"), ([RESET] + [UNDER_WAY] * 4, "another action is under way")]:
            told, _, waited = self.told(*lost)
            self.assertEqual(told, {"outcome": "unknown", "error": f"nobody knows whether it was done: {why}"})
            self.assertEqual(waited, [1, 2, 4, 8])

    def test_what_the_server_decided_is_not_sent_again(self):
        for status, outcome in [(500, "failed"), (503, "blocked"), (409, "blocked")]:
            told, paths, _ = self.told((status, {}, {"outcome": outcome, "error": "it says why"}))
            self.assertEqual((told, len(paths)), ({"outcome": outcome, "error": "it says why"}, 1))

    def test_a_wish_without_a_key_is_sent_once(self):
        server, base = self.server(RESET)
        status, answer = Kiff(base, "key").ask("POST", "/approvals/approval-1/grant", {"reason": "I am sure"})
        self.assertEqual((status, answer["outcome"], server.answers), (None, "unknown", []))

    def test_a_name_that_a_model_made_up_is_refused_by_the_server(self):
        told, paths, _ = self.told((404, {}, {"error": "no such action"}), name="ROLL BACK/../now?")
        self.assertEqual(paths, ["/entities/inc-1/actions/ROLL%20BACK%2F..%2Fnow%3F/execute"])
        self.assertEqual(told, {"outcome": "refused", "error": "no such action"})


if __name__ == "__main__":
    unittest.main()
