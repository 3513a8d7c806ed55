//! Where a client that has no token yet learns who gives it one.

use kiff::http::{Api, Limits};
use serde_json::json;

use crate::http::server::Server;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const LIST: &str = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;

fn challenge(server: &Server, path: &str) -> String {
    let refused = server.stranger().header("content-type: application/json").post(path, LIST);
    assert_eq!(refused.status, 401);
    refused.headers["www-authenticate"].clone()
}

#[test]
fn a_client_without_a_token_is_led_to_who_gives_it_one() {
    let server = Server::with(Limits::DEFAULT, |api| {
        api.protected_resource("https://orders.example/mcp", ["https://login.example"]).unwrap()
    });
    for path in [WELL_KNOWN.to_owned(), format!("{WELL_KNOWN}/mcp")] {
        assert_eq!(
            server.stranger().get(&path).expect(200),
            json!({
                "resource": "https://orders.example/mcp",
                "authorization_servers": ["https://login.example"],
                "bearer_methods_supported": ["header"],
            })
        );
    }
    let metadata = format!("https://orders.example{WELL_KNOWN}/mcp");
    assert_eq!(challenge(&server, "/mcp"), format!("Bearer resource_metadata=\"{metadata}\""));
    assert_eq!(challenge(&server, "/events/raw"), "Bearer", "it is about `/mcp` alone");
}

#[test]
fn where_nothing_is_told_there_is_nothing_to_be_led_to() {
    let server = Server::open();
    assert_eq!(server.stranger().get(WELL_KNOWN).status, 404);
    assert_eq!(challenge(&server, "/mcp"), "Bearer");
}

#[test]
fn what_is_no_address_is_told_at_the_start() {
    let refused = |resource: &str, servers: &[&str]| {
        Api::new().protected_resource(resource, servers.iter().copied()).unwrap_err().to_string()
    };
    let login = ["https://login.example"];
    for resource in ["orders.example/mcp", "/mcp", "ftp://orders.example/mcp", "https://orders.example/a\"b/mcp"] {
        assert!(refused(resource, &login).contains("is no whole address"), "{resource}");
    }
    assert!(refused("https://orders.example/mcp", &["login"]).contains("`login` is no whole address"));
    assert!(refused("https://orders.example/", &login).contains("ends with `/mcp`"));
    assert!(refused("https://orders.example/mcp", &[]).contains("no authorization server is named"));
}
