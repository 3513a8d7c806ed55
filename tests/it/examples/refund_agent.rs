//! The server of the refund agent: its routes, as any agent calls them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::programs::Program;
use crate::wire;

/// The server, on a port that it chose.
struct Demo {
    process: Child,
    address: String,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(Program::Example("refund_agent").path());
        command.args(["--addr", ":0", "--port-file", "port", "--data-dir", "data"]).current_dir(folder);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let address = told.split("http://").nth(1).unwrap().split(';').next().unwrap().to_owned();
        Self { process, address }
    }

    /// The status and what is answered.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = wire::ask(&self.address, method, path, &["content-type: application/json"], &body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    fn agent(&self, what: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", &format!("/demo/agent/{what}"), body)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_is_small_is_paid_back_and_all_else_waits_for_a_person() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refund-agent");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let demo = Demo::start(&folder);
    assert_eq!(demo.ask("GET", "/healthz", &Value::Null).0, 200);
    let (_, listed) = demo.ask("GET", "/demo/orders", &Value::Null);
    let order = |id, total| json!({ "id": id, "total_cents": total, "refunded_cents": 0, "state": "PAID" });
    assert_eq!(listed["orders"], json!([order("ord-1", 4_200), order("ord-2", 99_900), order("ord-3", 25_000)]));

    let refund = |order: &str, amount: i64| json!({ "order_id": order, "amount_cents": amount, "reason": "broken" });
    let (status, held) = demo.agent("refund", &refund("ord-3", 10_001));
    assert_eq!((status, &held["outcome"], &held["action"]), (409, &json!("approval_required"), &json!("REFUND_ORDER")));
    assert!(held["approval_id"].is_string(), "{held}");
    let (status, paid) = demo.agent("refund", &refund("ord-3", 10_000));
    assert_eq!((status, &paid["outcome"], &paid["action"]), (200, &json!("executed"), &json!("AUTO_REFUND")));
    let waiver = json!({ "order_id": "ord-2", "fee_cents": 500, "reason": "a good customer", "approval_id": "" });
    let (status, held) = demo.agent("waive", &waiver);
    assert_eq!((status, &held["outcome"], &held["action"]), (409, &json!("approval_required"), &json!("WAIVE_FEE")));
    let mut named = waiver;
    named["approval_id"] = held["approval_id"].clone();
    let (status, pending) = demo.agent("waive", &named);
    assert_eq!((status, pending.get("approval_id")), (409, None), "nobody is asked twice: {pending}");
    assert_eq!(demo.agent("refund", &json!({ "order_id": "ord-2" })).0, 400);

    let (_, rebuilt) = demo.ask("GET", "/demo/rebuild?entity=ord-3", &Value::Null);
    assert_eq!(rebuilt, json!({ "entity_id": "ord-3", "state": "REFUNDED", "events": 2, "matches": true }));
    assert_eq!(demo.ask("GET", "/demo/rebuild?entity=ord-9", &Value::Null).0, 404);
    let port = fs::read_to_string(folder.join("port")).unwrap();
    assert!(demo.address.ends_with(&format!(":{port}")), "{port}");
}

/// As service managers and terminals do: what has started is finished, and the process ends well.
#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    for signal in ["TERM", "INT"] {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refund-agent-{signal}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut demo = Demo::start(&folder);
        // Whoever answers waits for the signal as well.
        assert_eq!(demo.ask("GET", "/healthz", &Value::Null).0, 200);
        let sent = Command::new("kill").args(["-s", signal, &demo.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(demo.process.wait().unwrap().code(), Some(0), "by {signal}");
    }
}
