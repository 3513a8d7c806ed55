//! The pages: who gets in, what a card shows, and what an answer does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiff::http::{Limits, NewKey, Principal};
use kiff::{Actor, Call, Domain, Evidence, MemoryStore, Proposal, Runtime, Verdict};
use pollster::block_on;

use super::server::{Answer, Client, Server};
use crate::shop::{self, MarkPaid, Mood, OrderState, Refund, SharedClock, people};

/// Somebody who has signed in.
pub(super) struct Browser {
    pub(super) client: Client,
    csrf: String,
}

impl Browser {
    /// Signs in with what the door's form says.
    fn through(server: &Server, form: &str) -> Result<Self, Answer> {
        Self::at(&server.stranger(), form)
    }

    /// Signs in where a client that shows nothing leads.
    pub(super) fn at(stranger: &Client, form: &str) -> Result<Self, Answer> {
        let answer = post(stranger, "/admin/sign-in", form);
        if answer.status != 303 {
            return Err(answer);
        }
        let cookie = answer.headers["set-cookie"].split(';').next().unwrap().to_owned();
        let client = stranger.clone().header(&format!("cookie: {cookie}"));
        let inbox = client.get("/admin");
        assert_eq!(inbox.status, 200, "{}", inbox.body);
        let csrf = between(&inbox.body, "name=\"csrf\" value=\"", "\"").to_owned();
        Ok(Self { client, csrf })
    }

    /// Signs in with a key of one's own.
    pub(super) fn of(server: &Server, actor: &Actor) -> Self {
        let signed = Self::through(server, &format!("key={}", key(server, actor)));
        signed.unwrap_or_else(|answer| panic!("{}", answer.body))
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> String {
        let answer = self.client.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub(super) fn send(&self, path: &str, form: &str) -> Answer {
        post(&self.client, path, &format!("csrf={}&{form}", self.csrf))
    }
}

pub(super) fn post(client: &Client, path: &str, form: &str) -> Answer {
    client.clone().header("content-type: application/x-www-form-urlencoded").post(path, form)
}

#[track_caller]
pub(super) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("`{before}` is not in {text}"));
    rest.split_once(after).unwrap().0
}

fn key(server: &Server, actor: &Actor) -> String {
    server.keys.create(NewKey::new(actor.clone())).unwrap().1
}

const HOSTILE: &str = "<script>alert('x')</script> \u{202e}999 & \"more\"";

/// An order whose refund an agent has asked for, with hostile words in every field; the way to its card.
fn asked(server: &Server, id: &str) -> String {
    server.everybody().paid(id);
    let key = Refund::entity(id).unwrap();
    let parameters = serde_json::json!({ "amount": 4_900, "reason": HOSTILE }).to_string();
    let proposal = Proposal::new(Call::new("REFUND_ORDER", parameters)).because(HOSTILE);
    let proposal = proposal.evidence(Evidence::new(HOSTILE, &[HOSTILE]).unwrap());
    let asked = block_on(server.shop.request_approval(&people().agent, &key, proposal)).unwrap();
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    format!("/admin/approvals/Order/{id}/{}", approval.id)
}

#[test]
fn p4_only_people_get_in_and_only_with_what_is_theirs() {
    let server = Server::open();
    let stranger = server.stranger().get("/admin");
    assert_eq!((stranger.status, &*stranger.headers["location"]), (303, "/admin/sign-in"));
    let agent = Browser::through(&server, &format!("key={}", key(&server, &people().agent))).err().unwrap();
    assert_eq!(agent.status, 403);
    assert!(agent.body.contains("these pages are for people"), "{}", agent.body);
    assert_eq!(Browser::through(&server, "key=kiff_nothing").err().unwrap().status, 403);
    let nora = Browser::of(&server, &people().nora);
    assert!(nora.get("/admin").contains("signed in as <strong>nora</strong>"));
    // An API key alone opens no page, and a session no route of the API.
    assert_eq!(server.client(&people().nora).get("/admin").status, 303);
    assert_eq!(nora.client.get("/entities/ord-1").status, 401);
    // Another site can neither sign somebody out nor in.
    assert_eq!(post(&nora.client, "/admin/sign-out", "csrf=0").status, 403);
    assert_eq!(nora.client.get("/admin").status, 200);
    for said in ["sec-fetch-site: cross-site", "sec-fetch-site: same-site", "origin: https://evil.example"] {
        let elsewhere = server.stranger().header(said);
        let lured = post(&elsewhere, "/admin/sign-in", &format!("key={}", key(&server, &people().nora)));
        assert_eq!((lured.status, lured.headers.contains_key("set-cookie")), (403, false), "{said}: {}", lured.body);
    }
    // The door's own form says where it comes from, because the door lets it.
    assert_eq!(server.stranger().get("/admin/sign-in").headers["referrer-policy"], "same-origin");
    let own = server.stranger().header(&format!("origin: http://{}", server.address));
    assert_eq!(post(&own, "/admin/sign-in", &format!("key={}", key(&server, &people().nora))).status, 303);
    assert_eq!(nora.send("/admin/sign-out", "").status, 303);
    assert_eq!(nora.client.get("/admin").status, 303);
}

#[test]
fn p4_the_cookie_of_a_session_is_for_the_pages_of_this_server_alone() {
    let server = Server::open();
    let form = format!("key={}", key(&server, &people().nora));
    let cookie_at = |host: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let length = form.len();
        let head = format!(
            "POST /admin/sign-in HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\n{form}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Answer::read(&mut BufReader::new(stream)).headers["set-cookie"].clone()
    };
    for (host, is_secure) in [("localhost:8080", false), ("127.0.0.1", false), ("shop.example", true)] {
        let cookie = cookie_at(host);
        let parts: Vec<_> = cookie.split("; ").skip(1).collect();
        for part in ["Path=/admin", "HttpOnly", "SameSite=Lax"] {
            assert!(parts.contains(&part), "{cookie}");
        }
        assert_eq!(parts.contains(&"Secure"), is_secure, "{host}: {cookie}");
    }
}

#[test]
fn an_open_page_is_told_of_its_own_tenant_alone_and_for_so_long() {
    let limits = Limits { streams: 1, stream_time: Duration::from_millis(1_500), ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let nora = Browser::of(&server, &people().nora);
    let mut live = BufReader::new(nora.client.begin("GET", "/admin/live", None, "connection: close\r\n"));
    let mut status = String::new();
    live.read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
    assert_eq!(nora.client.get("/admin/live").status, 429);
    let theirs = shop::order("ord-1").in_tenant("acme").unwrap();
    let placed = shop::OrderPlaced { total: kiff::Cents(1) };
    assert!(block_on(server.shop.ingest(&people().shop, &theirs, placed)).unwrap().is_allowed());
    // It is looked at once a second, and then the browser has to come again.
    live.get_ref().set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut told = String::new();
    live.read_to_string(&mut told).unwrap();
    assert!(!told.contains("changed"), "{told}");
}

#[test]
fn p4_a_session_ends_with_the_key_that_opened_it() {
    let server = Server::open();
    let card = asked(&server, "ord-1");
    let (key, secret) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let nora = Browser::through(&server, &format!("key={secret}")).unwrap_or_else(|answer| panic!("{}", answer.body));
    nora.get(&card);
    server.keys.revoke(&key.id).unwrap();
    let late = nora.send(&card, "answer=grant&reason=two+photos+%3Cb%3E");
    assert_eq!(late.status, 403, "{}", late.body);
    // It did not count, which is said, and what was typed is not lost.
    for shown in
        ["what you sent did not count", ">two photos &lt;b&gt;</textarea>", "href=\"/admin/sign-in?to=%2Fadmin%2F"]
    {
        assert!(late.body.contains(shown), "`{shown}` is not in {}", late.body);
    }
    let entity = block_on(server.shop.entity(&Refund::entity("ord-1").unwrap())).unwrap();
    assert_eq!(entity.open_approvals()[0].status.as_str(), "pending");
}

#[test]
fn nobody_takes_away_the_sessions_of_others() {
    let server = Server::open();
    let omar = Browser::of(&server, &people().omar);
    let key = key(&server, &people().nora);
    let sign_in =
        || Browser::through(&server, &format!("key={key}")).unwrap_or_else(|answer| panic!("{}", answer.body));
    let first = sign_in();
    let others: Vec<_> = (0..16).map(|_| sign_in()).collect();
    assert_eq!(first.client.get("/admin").status, 303);
    assert!(others.iter().all(|other| other.client.get("/admin").status == 200));
    assert_eq!(omar.client.get("/admin").status, 200);
}

#[test]
fn a_link_signs_in_once() {
    let link = Arc::new(Mutex::new(String::new()));
    let made = Arc::clone(&link);
    let server = Server::with(Limits::DEFAULT, move |api| {
        *made.lock().unwrap() = api.sign_in_links().link(Principal::new(people().nora)).unwrap();
        api
    });
    assert_eq!(server.stranger().get("/healthz").status, 200);
    let link = link.lock().unwrap().clone();
    let door = server.stranger().get(&link);
    assert!(door.body.contains("as <strong>nora</strong>"), "{}", door.body);
    let form = format!("link={}", link.split_once("link=").unwrap().1);
    assert!(Browser::through(&server, &form).is_ok());
    assert_eq!(Browser::through(&server, &form).err().unwrap().status, 403);
    assert_eq!(server.stranger().get(&link).status, 403);
}

#[test]
fn a_card_shows_everything_and_obeys_nothing_in_it() {
    let server = Server::open();
    let card = asked(&server, "ord-1");
    let nora = Browser::of(&server, &people().nora);
    assert!(nora.get("/admin").contains(&format!("href=\"{card}\"")));
    let page = nora.get(&card);
    for shown in [
        "REFUND_ORDER",
        "high risk",
        "agent-7",
        "PAID",
        "<strong>49.00</strong>",
        "from 0.01 to 10,000.00",
        "from 1 to 500 characters",
        "This is its claim",
        "it is <strong>REFUNDED</strong>",
        "&lt;script&gt;alert('x')&lt;/script&gt;",
        "\\u{202e}999",
        "approval_recorded",
    ] {
        assert!(page.contains(shown), "`{shown}` is not in {page}");
    }
    assert!(!page.contains("<code>Cents</code>") && !page.contains("<code>String</code>"), "{page}");
    assert!(nora.client.get(&card).headers["content-security-policy"].contains("script-src 'self'"));
    let paths =
        [&card, "/admin", "/admin/entities/Order/ord-1", "/admin/domains/refund", "/admin/search?actor=agent-7"];
    for path in paths {
        let page = nora.get(path);
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{path}");
        assert!(!page.contains(" style=\""), "the policy forbids a style of its own at {path}");
    }
}

#[test]
fn p3_a_person_grants_and_the_second_one_is_told() {
    let server = Server::open();
    let card = asked(&server, "ord-1");
    let (nora, omar) = (Browser::of(&server, &people().nora), Browser::of(&server, &people().omar));
    let without = nora.send(&card, "answer=grant&reason=+");
    assert_eq!((without.status, without.body.contains("Say why")), (400, true));
    let forged = post(&nora.client, &card, "csrf=0&answer=grant&reason=looked");
    assert_eq!((forged.status, forged.body.contains("not of your session")), (403, true));
    assert_eq!(nora.send(&card, "answer=grant&reason=the+photo").status, 303);
    let late = omar.send(&card, "answer=deny&reason=no");
    assert_eq!(late.status, 409);
    assert!(late.body.contains("was already granted by `nora`"), "{}", late.body);
    let granted = nora.get(&card);
    assert!(granted.contains("the photo"));
    let by_whom = "Granted. It may run once, by whoever holds the role <strong>agent or auditor</strong>.";
    assert!(granted.contains(by_whom), "{granted}");
    assert!(!granted.contains("If you grant it") && !granted.contains("<dt>Expires</dt>"), "{granted}");
    let entity = block_on(server.shop.entity(&Refund::entity("ord-1").unwrap())).unwrap();
    assert_eq!(entity.open_approvals()[0].status.as_str(), "granted");
}

#[test]
fn p3_a_person_withdraws_what_was_granted() {
    let server = Server::open();
    let card = asked(&server, "ord-1");
    let (nora, omar) = (Browser::of(&server, &people().nora), Browser::of(&server, &people().omar));
    assert!(!nora.get(&card).contains("value=\"withdraw\""));
    assert_eq!(nora.send(&card, "answer=withdraw&reason=no").status, 409);
    assert_eq!(nora.send(&card, "answer=grant&reason=the+photo").status, 303);
    // Whoever wanted to say no meanwhile is told, and can take the yes back with the reason as it was written.
    let late = omar.send(&card, "answer=deny&reason=another+lamp");
    assert!(late.body.contains("was already granted by `nora`"), "{}", late.body);
    assert!(
        late.body.contains("value=\"withdraw\"") && late.body.contains(">another lamp</textarea>"),
        "{}",
        late.body
    );
    assert!(!late.body.contains("value=\"grant\"") && !late.body.contains("value=\"deny\""), "{}", late.body);
    assert_eq!(omar.send(&card, "answer=withdraw&reason=another+lamp").status, 303);
    let withdrawn = nora.get(&card);
    assert!(withdrawn.contains(">withdrawn</span> by ") && withdrawn.contains("<q>another lamp</q>"), "{withdrawn}");
    assert!(!withdrawn.contains("<textarea") && !withdrawn.contains("It may run"), "{withdrawn}");
    // Whoever could not have said yes is offered no way to say no.
    let other = asked(&server, "ord-2");
    assert_eq!(nora.send(&other, "answer=grant&reason=fine").status, 303);
    let auditor = Browser::of(&server, &people().auditor);
    assert!(!auditor.get(&other).contains("<textarea"));
}

#[test]
fn what_was_answered_says_what_became_of_it_and_not_what_would() {
    let clock = SharedClock::default();
    let runtime = Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default()).with_clock(clock.clone());
    let server = Server::of(Arc::new(runtime), Limits::DEFAULT, |api| api);
    let nora = Browser::of(&server, &people().nora);
    let key = block_on(shop::paid(&server.shop, "used"));
    let approval = block_on(shop::granted(&server.shop, &key, shop::refund(4_900)));
    let done = block_on(server.shop.execute(&people().agent, &key, shop::refund(4_900))).unwrap();
    let run = done.executed().unwrap().execution.clone();
    let used = nora.get(&format!("/admin/approvals/Order/used/{approval}"));
    assert!(used.contains(&format!("by execution <code>{run}</code>")), "{used}");

    let denied = asked(&server, "denied");
    let waits = nora.get(&denied);
    let by_whom = "it may run once, exactly like this, by whoever holds the role <strong>agent or auditor</strong>.";
    assert!(waits.contains(by_whom), "{waits}");
    assert!(waits.contains("If you grant it") && waits.contains("<dt>Expires</dt>"), "{waits}");
    assert!(waits.contains("in 24 hours"), "{waits}");
    assert_eq!(nora.send(&denied, "answer=deny&reason=no").status, 303);
    let denied = nora.get(&denied);
    let key = block_on(shop::paid(&server.shop, "unused"));
    let approval = block_on(shop::granted(&server.shop, &key, shop::refund(4_900)));
    let expired = asked(&server, "expired");
    clock.0.pass(Duration::from_hours(25));
    let (unused, expired) = (nora.get(&format!("/admin/approvals/Order/unused/{approval}")), nora.get(&expired));
    assert!(unused.contains("It was not used while it held") && !unused.contains("It may run"), "{unused}");
    for page in [used, denied, unused, expired] {
        assert!(!page.contains("If you grant it") && !page.contains("<dt>Expires</dt>"), "{page}");
    }
}

#[test]
fn what_is_no_page_says_so_on_one() {
    let server = Server::open();
    let nora = Browser::of(&server, &people().nora);
    for path in ["/admin/nothing", "/admin/entities/Order/ord-1/nothing/at/all", "/admin/nothing/"] {
        let none = nora.client.get(path);
        assert_eq!((none.status, none.headers["content-type"].starts_with("text/html")), (404, true), "{path}");
        assert!(
            none.body.contains("There is no such page") && none.body.contains("href=\"/admin/search\""),
            "{}",
            none.body
        );
        assert!(none.headers.contains_key("content-security-policy"));
    }
    assert_eq!(nora.client.get("/admin/").headers["location"], "/admin");
    assert_eq!(server.stranger().get("/admin/nothing").headers["location"], "/admin/sign-in?to=%2Fadmin%2Fnothing");
    // Beside the pages, programs are told as programs are.
    assert!(server.everybody().nora.get("/nothing").headers["content-type"].starts_with("application/json"));
}

#[test]
fn p3_who_may_not_approve_gets_no_form_and_no_way_around_it() {
    let server = Server::open();
    let card = asked(&server, "ord-1");
    let auditor = Browser::of(&server, &people().auditor);
    assert!(auditor.get("/admin").contains("Waits for others"));
    assert!(!auditor.get(&card).contains("Grant: exactly this"));
    let refused = auditor.send(&card, "answer=grant&reason=please");
    assert_eq!(refused.status, 409, "{}", refused.body);
    let stranger = Browser::of(&server, &Actor::human("mallory").unwrap());
    assert_eq!(stranger.client.get(&card).status, 403);
    assert!(!stranger.get("/admin").contains("REFUND_ORDER"));
    assert!(!stranger.get("/admin/search?actor=agent-7").contains("ord-1"));
    assert_eq!(stranger.client.get("/admin/entities/Order/ord-1").status, 403);
}

#[test]
fn an_entity_shows_where_it_stands_and_that_its_chain_holds() {
    let server = Server::open();
    server.everybody().paid("ord-1");
    let nora = Browser::of(&server, &people().nora);
    let found = nora.client.get("/admin/search?entity=ord-1");
    assert_eq!(found.headers["location"], "/admin/entities/Order/ord-1");
    let page = nora.get("/admin/entities/Order/ord-1?verify=yes&kind=state_changed");
    for state in ["<g data-state=\"PAID\" class=\"here\">", "<g data-state=\"CREATED\" class=\"been\">"] {
        assert!(page.contains(state), "{page}");
    }
    assert!(page.contains("Every one of its 3 commits follows"), "{page}");
    assert!(page.contains("CREATED -&gt; PAID") && !page.contains("<code>event_ingested</code>"));
    let none = nora.client.get("/admin/entities/Order/ord-2");
    assert_eq!((none.status, none.headers["content-type"].starts_with("text/html")), (404, true));
}

#[test]
fn what_is_open_and_since_when_is_told_by_the_clock_of_its_domain() {
    let clock = SharedClock::default();
    let runtime = Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default()).with_clock(clock.clone());
    let server = Server::of(Arc::new(runtime), Limits::DEFAULT, |api| api);
    let nora = Browser::of(&server, &people().nora);
    let card = asked(&server, "ord-1");
    let key = block_on(shop::place(&server.shop, "ord-2"));
    server.shop.services().be(Mood::Silent);
    let pay = MarkPaid { payment_id: "pay-1".into() };
    assert!(block_on(server.shop.execute(&people().agent, &key, pay)).unwrap().executed().is_none());
    for path in ["/admin", "/admin/entities/Order/ord-1", "/admin/doubt", "/admin/doubt/Order/ord-2"] {
        let page = nora.get(path);
        assert!(page.contains("0 seconds ago") && !page.contains("days ago"), "{path}: {page}");
    }
    let waits = nora.get("/admin/entities/Order/ord-1");
    assert!(waits.contains(&format!("href=\"{card}\"")) && waits.contains(", pending, asked by "), "{waits}");
    clock.0.pass(Duration::from_hours(25));
    let expired = nora.get("/admin/entities/Order/ord-1");
    assert!(!expired.contains(&card) && !expired.contains("<h2>Approvals</h2>"), "{expired}");
}

#[test]
fn p7_a_person_settles_a_doubt_with_a_reason() {
    let server = Server::open();
    server.everybody().place("ord-1");
    server.shop.services().be(Mood::Silent);
    let key = Refund::entity("ord-1").unwrap();
    let pay = MarkPaid { payment_id: "pay-1".into() };
    assert!(block_on(server.shop.execute(&people().agent, &key, pay)).unwrap().executed().is_none());
    server.shop.services().be(Mood::Willing);
    let nora = Browser::of(&server, &people().nora);
    let doubt = "/admin/doubt/Order/ord-1";
    assert!(nora.get("/admin/doubt").contains(doubt));
    let execution = between(&nora.get(doubt), "name=\"execution\" value=\"", "\"").to_owned();
    let asked = nora.send(doubt, &format!("execution={execution}&became=ask"));
    assert!(asked.body.contains("nobody to ask"), "{}", asked.body);
    let form = |payload: &str, reason: &str| {
        format!(
            "execution={execution}&became=event:ORDER_PAID&payload=%7B%22payment_id%22%3A{payload}%7D&reason={reason}"
        )
    };
    let forged = post(&nora.client, doubt, &format!("csrf=0&{}", form("%22pay-1%22", "statement")));
    assert_eq!((forged.status, forged.body.contains("not of your session")), (403, true));
    for (payload, reason) in [("1", "statement"), ("%22pay-1%22", ""), ("oops", "statement")] {
        assert!(matches!(nora.send(doubt, &form(payload, reason)).status, 400 | 409), "{payload} {reason}");
    }
    assert_eq!(nora.send(doubt, &form("%22pay-1%22", "statement")).status, 303);
    assert_eq!(block_on(server.shop.entity(&key)).unwrap().state(), Some(OrderState::Paid));
    assert!(nora.get("/admin/doubt").contains("Nothing is in doubt."));
}
