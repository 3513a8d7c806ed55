"""The whole loop from an agent's side, with the official client library (`pip install mcp`):

    python3 examples/mcp/client.py target/debug/examples/mcp

It starts the server over the standard streams, pays an order, and asks for a refund. That is held. Nora, who comes by another
door with a key of her own, grants it; the agent hears of it, and the refund runs once. Then the same over HTTP.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import urllib.request

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


async def told(log, pattern):
    """What the server says on its standard error."""
    for _ in range(600):
        log.flush()
        with open(log.name, encoding="utf-8") as text:
            if found := re.search(pattern, text.read()):
                return found.group(1)
        await asyncio.sleep(0.05)
    raise SystemExit(f"the server never said `{pattern}`")


def approver_key(file, log):
    """Nora's key, which stands where its owner alone can read it, and in no log."""
    with open(file, encoding="utf-8") as text:
        key = text.read()
    assert os.name != "posix" or os.stat(file).st_mode & 0o077 == 0, file
    with open(log.name, encoding="utf-8") as text:
        assert key.startswith("kiff_") and key not in text.read()
    return key


def grant(address, key, approval):
    """What nora does at her own door."""
    request = urllib.request.Request(
        f"{address}/approvals/{approval}/grant",
        data=json.dumps({"reason": "the photo shows the damage"}).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["approval"]["status"]


async def loop(client, order, address, nora):
    """Pay, ask, wait, refund: one order."""

    async def call(tool, arguments):
        result = await client.call_tool(tool, arguments)
        answer = result.structured_content
        print(f"  {tool:18} {answer.get('outcome') or answer.get('status') or answer.get('current_state')}")
        return answer

    names = [tool.name for tool in (await client.list_tools()).tools]
    print(f"  tools              {', '.join(names)}")
    paid = await call("MARK_PAID", {"entity_id": order, "payment_id": f"pay-{order}"})
    assert paid["outcome"] == "executed", paid
    wish = {"entity_id": order, "amount": 4900, "reason": "arrived broken", "rationale": "the photo shows it"}
    held = await call("REFUND_ORDER", wish)
    assert held["outcome"] == "approval_required", held
    approval = held["approval"]["id"]
    step = held["next_step"]
    waiting = asyncio.create_task(call(step["tool"], step["arguments"]))
    assert await asyncio.to_thread(grant, address, nora, approval) == "granted"
    decided = await waiting
    assert decided["status"] == "granted" and decided["approval"]["reviewed_by"] == "nora", decided
    step = decided["next_step"]
    done = await call(step["tool"], step["arguments"])
    assert done["outcome"] == "executed" and done["current_state"] == "REFUNDED", done
    again = await call(step["tool"], step["arguments"])
    assert again["deduplicated"] and again["execution_id"] == done["execution_id"], again
    timeline = await call("timeline", {"entity_id": order})
    kinds = [record["kind"] for record in timeline["records"]]
    assert kinds.count("action_executed") == 2 and "approval_granted" in kinds, kinds


async def main(program):
    """Both ways in."""
    with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="utf-8") as log:
        server = StdioServerParameters(command=program, args=["--actor", "agent-7"])
        async with Client(stdio_client(server, errlog=log), mode=MODES[0]) as client:
            address = await told(log, r"people: (\S+)/admin")
            file, agent = await told(log, r"key of nora, in a file: (.+)\n"), await told(log, r"key of agent-7: (\S+)\n")
            nora = approver_key(file, log)
            print("over the standard streams")
            await loop(client, "ord-1", address, nora)
            print("over HTTP")
            async with httpx2.AsyncClient(headers={"authorization": f"Bearer {agent}"}, timeout=60) as http:
                transport = streamable_http_client(f"{address}/mcp", http_client=http)
                async with Client(transport, mode=MODES[-1]) as client:
                    await loop(client, "ord-2", address, nora)


# `auto` asks for the protocol of today and falls back; `legacy` is the handshake of before.
MODES = sys.argv[2:] or ["auto"]
asyncio.run(main(sys.argv[1]))
